import { randomUUID } from 'node:crypto'
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { wallClock } from '../clock.ts'
import { isGone, processMark } from './process-mark.ts'

const DRAFT = /^\.([0-9a-f]{12}-\d+-\w+)\.[0-9a-f-]{36}\.draft$/
/** Of processes that cannot be seen from here; nothing takes as long to write. */
const OLD_MS = 86_400_000

/**
 * A name for what is not whole yet, and gets its own by a rename. It is to be created exclusively (`wx`), which follows no
 * link. Drafts of processes that are gone are found by their names.
 */
export function toDraftName(): string {
  return `.${processMark()}.${randomUUID()}.draft`
}

/**
 * Removes the drafts in a folder whose processes are gone, files and folders, and nothing else. One that cannot be removed
 * stays.
 */
export function removeDeadDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const mark = DRAFT.exec(name)?.[1]
    if (mark === undefined || !(isGone(mark) ?? isOld(join(folder, name)))) continue
    try {
      rmSync(join(folder, name), { recursive: true, force: true })
    } catch {
      // Of somebody else who shares the folder: then its owner's next run removes it.
      continue
    }
  }
}

function isOld(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats !== undefined && wallClock() - stats.mtimeMs > OLD_MS
}
