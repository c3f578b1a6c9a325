import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * A command in a process group of its own, with a watcher beside it that reads what this program never writes. When
 * that ends, the group is no longer wanted, or this program is gone, be it by `kill -9`; the watcher then kills all of
 * the group. So also what a command leaves behind: joblib's workers outlive their Python, and hold its output open.
 */
const GROUP = 'exec 3<&0; { cat <&3; kill -9 0; } >/dev/null 2>&1 & exec "$@" 3<&- </dev/null'

export interface ProcessGroup extends AsyncDisposable {
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves to the exit code of the command. */
  readonly exited: Promise<number>
}

export function startGroup(command: string, args: readonly string[]): ProcessGroup {
  const child = spawn('sh', ['-c', GROUP, 'sh', command, ...args], { detached: true, stdio: 'pipe' })
  const closed = once(child, 'close')
  return {
    stdout: child.stdout,
    stderr: child.stderr,
    exited: once(child, 'exit').then(([code]) => Number(code)),
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await closed
    },
  }
}

/**
 * What a command prints that ends by itself.
 * @throws Error with the last line that it wrote, or that it took too long
 */
export async function runGroup(command: string, args: readonly string[], deadlineMs: number): Promise<string> {
  const group = startGroup(command, args)
  const [stdout, stderr] = [group.stdout, group.stderr].map((stream) => stream.setEncoding('utf8').toArray())
  const code = await withDeadline(group.exited, deadlineMs).finally(() => group[Symbol.asyncDispose]())
  // pip and Python say it best in the last line.
  const last = (await stderr)?.join('').trim().split('\n').at(-1)
  if (code !== 0) throw new Error(last === '' ? `${command} ended with code ${code}` : last)
  return (await stdout)?.join('').trim() ?? ''
}

/** @throws Error that says how long was too long */
export async function withDeadline<T>(promise: Promise<T>, deadlineMs: number): Promise<T> {
  const settled = new AbortController()
  const late = wait(deadlineMs, undefined, { signal: settled.signal }).then(() => {
    throw new Error(`it was not done within ${deadlineMs / 1000} s`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    settled.abort()
  }
}
