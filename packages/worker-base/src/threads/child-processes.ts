import { existsSync, readFileSync, readdirSync } from 'node:fs'

import { performance, setTimeout } from '../clock.ts'
import { hasCode } from '../folders/private.ts'

const REAP_MS = 100
const REAP_LOOK_MS = 5

/** Where the system tells of a thread, as `/proc/thread-self` names it: `<process>/task/<thread>`. */
export type ThreadPlace = string & { readonly __brand: 'ThreadPlace' }

/**
 * Ids of the processes that these threads have started, of those that they have started, and so on. Those in a session of
 * their own (`detached: true`) are meant to live on. Linux alone tells who has started what; elsewhere there are none.
 */
export function findChildProcesses(...threads: readonly ThreadPlace[]): readonly number[] {
  const session = readSession(String(process.pid))
  const found = new Set<number>()
  const pending = threads.flatMap(readChildren)
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (found.has(Number(id)) || readSession(id) !== session) continue
    found.add(Number(id))
    pending.push(...readNames(`/proc/${id}/task`).flatMap((task) => readChildren(`${id}/task/${task}`)))
  }
  return [...found]
}

/** Of all threads of this process. */
export function findOwnChildProcesses(): readonly number[] {
  return findChildProcesses(...readNames('/proc/self/task').map((task) => `self/task/${task}` as ThreadPlace))
}

/**
 * Waits, not for long, until the threads that started them have seen their end: until then they are not gone, and what
 * becomes of them when those threads are gone first is up to the system.
 */
export async function untilReaped(ids: readonly number[]): Promise<void> {
  const deadline = performance.now() + REAP_MS
  while (ids.some((id) => existsSync(`/proc/${id}`)) && performance.now() < deadline) {
    await new Promise<void>((resolve) => setTimeout(resolve, REAP_LOOK_MS))
  }
}

/** Ends them at once. */
export function endProcesses(ids: Iterable<number>): void {
  for (const id of ids) {
    try {
      process.kill(id, 'SIGKILL')
    } catch (error) {
      // Gone by now, or run by another user, as behind `sudo`: then it is theirs.
      if (!hasCode(error, 'ESRCH', 'EPERM')) throw error
    }
  }
}

function readChildren(place: string): string[] {
  return readText(`/proc/${place}/children`).split(' ').filter(Boolean)
}

/** The sixth field; the second one, the name of the program in brackets, may hold anything. */
function readSession(id: string): string | undefined {
  const stat = readText(`/proc/${id}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]
}

// What cannot be read has ended, or this is no Linux.
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function readNames(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
