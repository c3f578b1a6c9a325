import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { folderUnusable } from '../extract-errors.ts'

/** Unix socket paths have at most 103 bytes on macOS; what this run adds below the folder fits in 20. */
const LONGEST_BASE = 60

/** The one folder of a run: code, sockets, tokens. Only its owner can read it; it goes with the run. */
export interface RunFolder extends Disposable {
  readonly path: string
}

export function createRunFolder(): RunFolder {
  const base = tmpdir().length <= LONGEST_BASE ? tmpdir() : '/tmp'
  const path = makeFolder(base)
  return { path, [Symbol.dispose]: () => removeFolder(path) }
}

function makeFolder(base: string): string {
  try {
    // mkdtemp gives mode 0700.
    return mkdtempSync(join(base, 'turbolift-'))
  } catch (error) {
    throw folderUnusable(base, error)
  }
}

function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  } catch (error) {
    // The end of the program is not the time to fail; the system tidies up its temporary folder.
    process.emitWarning(error instanceof Error ? error : String(error))
  }
}
