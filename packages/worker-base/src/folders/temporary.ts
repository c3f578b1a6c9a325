import { lstatSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { wallClock } from '../clock.ts'
import { kernel } from './process-mark.ts'
import { hasCode, removePrivateFolder } from './private.ts'
import { isPrivate } from './trust.ts'

/** Paths of unix sockets have at most 103 bytes on macOS; what is added below the folder fits in 20. */
const LONGEST_BASE = 60
const PREFIX = 'turbolift-'
/** A socket that the program listens on: when nobody does any more, the program is gone. */
const ALIVE = 'alive.sock'
/** Holds the name of the kernel that the socket is of: through a shared disk, it looks dead to any other. */
const KERNEL = 'kernel'
/** A younger socket may be one that is about to be listened on. */
const MIN_AGE_MS = 5_000
/** Of a program that was killed before it had a socket. */
const UNBORN_AGE_MS = 3_600_000

/** A folder that only this user can look into, and that goes with the program, however that ends. */
export interface TemporaryFolder extends Disposable {
  readonly path: string
}

/** Where temporary folders are made: the system's place, unless sockets there would have too long a path. */
export function temporaryBase(): string {
  const base = resolve(tmpdir())
  return process.platform === 'win32' || Buffer.byteLength(base) <= LONGEST_BASE ? base : '/tmp'
}

/**
 * Creates one, and removes those of programs that were killed.
 * @throws what `mkdtemp` throws
 */
export function createTemporaryFolder(): TemporaryFolder {
  const base = temporaryBase()
  // mkdtemp gives mode 0700.
  const path = mkdtempSync(join(base, PREFIX))
  const alive = keepAlive(path)
  void removeDeadFolders(base)
  const dispose = (): void => {
    alive?.close()
    try {
      removePrivateFolder(path)
    } catch (error) {
      // The end of the program is not the time to fail; the system tidies up its temporary folder.
      process.emitWarning(error instanceof Error ? error : String(error))
    }
  }
  return { path, [Symbol.dispose]: dispose }
}

/** A socket, as a process id says nothing about a program in another container. Windows has none in folders. */
function keepAlive(folder: string): Server | undefined {
  if (process.platform === 'win32') return undefined
  writeFileSync(join(folder, KERNEL), kernel(), { mode: 0o600, flag: 'wx' })
  const server = createServer((socket) => void socket.destroy())
  // A folder without a socket is left to the system, as all of its temporary files.
  server.on('error', () => void server.close())
  return server.listen({ path: join(folder, ALIVE), exclusive: true }).unref()
}

/** Removes the folders of programs that are gone. */
export async function removeDeadFolders(base: string): Promise<void> {
  for (const name of listFolders(base)) {
    const folder = join(base, name)
    try {
      if (await isDead(folder)) removePrivateFolder(folder)
    } catch {
      // It is not this program's: it may be going at this moment, or hold what its owner has to see to. The next is tried.
      continue
    }
  }
}

function listFolders(base: string): readonly string[] {
  try {
    return readdirSync(base).filter((name) => name.startsWith(PREFIX))
  } catch (error) {
    // One may be able to make folders there, and not to list them.
    if (hasCode(error, 'EACCES', 'EPERM')) return []
    throw error
  }
}

/** Looks into private folders of this user alone: nobody else can have put anything there. */
async function isDead(folder: string): Promise<boolean> {
  const stats = lstatSync(folder, { throwIfNoEntry: false })
  if (stats === undefined || !isPrivate(stats)) return false
  const names = readdirSync(folder)
  if (names.includes(KERNEL) && readFileSync(join(folder, KERNEL), 'utf8') !== kernel()) return false
  const isUnborn = names.length === 1 && names[0] === KERNEL
  if (!names.includes(ALIVE)) return isUnborn && wallClock() - stats.mtimeMs > UNBORN_AGE_MS
  const socket = join(folder, ALIVE)
  return wallClock() - lstatSync(socket).mtimeMs > MIN_AGE_MS && (await isUnheard(socket))
}

async function isUnheard(path: string): Promise<boolean> {
  return await new Promise((done) => {
    const socket = connect(path, () => void socket.destroy()).unref()
    socket.on('error', (error) => done(hasCode(error, 'ECONNREFUSED')))
    socket.on('close', () => done(false))
  })
}
