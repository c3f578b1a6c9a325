import { createTemporaryFolder, temporaryBase } from '@turbolift/worker-base/folders'
import type { TemporaryFolder } from '@turbolift/worker-base/folders'

import { folderUnusable } from '../extract-errors.ts'

/** The one folder of a run: code, sockets, tokens. Only its owner can read it; it goes with the run. */
export type RunFolder = TemporaryFolder

/**
 * Creates one, and removes those of programs that were killed and had no worker to do it.
 * @throws DeployError `FOLDER_UNUSABLE`
 */
export function createRunFolder(): RunFolder {
  try {
    return createTemporaryFolder()
  } catch (error) {
    throw folderUnusable(temporaryBase(), error)
  }
}
