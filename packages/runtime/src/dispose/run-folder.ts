import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { folderUnusable } from '../extract-errors.ts'

/** Unix socket paths have at most 103 bytes on macOS; what this run adds below the folder fits in 20. */
const LONGEST_BASE = 60
const PREFIX = 'turbolift-'
/** A socket that the program listens on: when nobody does any more, the program is gone. */
const ALIVE = 'alive.sock'
/** A younger socket may be one that is about to be listened on. */
const MIN_AGE_MS = 5_000

/** The one folder of a run: code, sockets, tokens. Only its owner can read it; it goes with the run. */
export interface RunFolder extends Disposable {
  readonly path: string
}

/** Creates one, and removes those of programs that were killed and had no worker to do it. */
export function createRunFolder(): RunFolder {
  const base = tmpdir().length <= LONGEST_BASE ? tmpdir() : '/tmp'
  const path = makeFolder(base)
  const alive = keepAlive(path)
  void removeDead(base)
  const dispose = (): void => {
    alive?.close()
    removeFolder(path)
  }
  return { path, [Symbol.dispose]: dispose }
}

function makeFolder(base: string): string {
  try {
    // mkdtemp gives mode 0700.
    return mkdtempSync(join(base, PREFIX))
  } catch (error) {
    throw folderUnusable(base, error)
  }
}

/** A socket, as a process id says nothing about a program in another container. Windows has none in folders. */
function keepAlive(folder: string): Server | undefined {
  if (process.platform === 'win32') return undefined
  const server = createServer((socket) => void socket.destroy())
  // A folder without a socket is left to the system, as all of its temporary files.
  server.on('error', () => void server.close())
  return server.listen({ path: join(folder, ALIVE), exclusive: true }).unref()
}

async function removeDead(base: string): Promise<void> {
  try {
    const names = await readdir(base)
    for (const name of names.filter((each) => each.startsWith(PREFIX))) {
      const folder = join(base, name)
      if (await isDead(folder)) await rm(folder, { recursive: true, force: true })
    }
  } catch (error) {
    // Nothing of this run; the next one tries again.
    process.emitWarning(error instanceof Error ? error : String(error))
  }
}

async function isDead(folder: string): Promise<boolean> {
  const path = join(folder, ALIVE)
  try {
    const { mtimeMs } = await stat(path)
    if (Date.now() - mtimeMs < MIN_AGE_MS) return false
  } catch {
    // No folder of a run, or of somebody else, or gone by now.
    return false
  }
  return await new Promise((resolve) => {
    const socket = connect(path, () => void socket.destroy())
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
    socket.on('close', () => resolve(false))
  })
}

function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  } catch (error) {
    // The end of the program is not the time to fail; the system tidies up its temporary folder.
    process.emitWarning(error instanceof Error ? error : String(error))
  }
}
