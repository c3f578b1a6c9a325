import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

const NOWHERE = '0'

/** Names the running kernel: all processes that it runs see the same sockets and none of another's. */
export function kernel(): string {
  return toName(readBootId())
}

let own: string | undefined

/** Names this process, so that others can tell whether it is gone: of letters, digits and dashes. */
export function processMark(): string {
  own ??= [processSpace(), process.pid, readStart(process.pid) ?? NOWHERE].join('-')
  return own
}

/** Whether the process of a mark is gone. `undefined`: it was started where this process does not see it. */
export function isGone(mark: string): boolean | undefined {
  const [space, pid = '', start] = mark.split('-')
  if (space !== processSpace()) return undefined
  if (!isThere(Number(pid))) return true
  const startOfThat = readStart(Number(pid))
  // Numbers of processes come again.
  return startOfThat !== undefined && startOfThat !== start
}

/** Process ids mean the same to all processes of one space: of a kernel, and of a container if there is one. */
function processSpace(): string {
  return toName(
    process.platform === 'linux' ? readBootId() + tryRead(() => readlinkSync('/proc/self/ns/pid')) : hostname(),
  )
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** When a process was started, in ticks since the kernel was; `gone` of one that only waits for its parent. Linux alone tells. */
function readStart(pid: number): string | undefined {
  const text = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields?.[0] === 'Z' ? 'gone' : fields?.[19]
}

function readBootId(): string {
  return tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')) ?? hostname()
}

/** `undefined` where there is no such file: on other systems, and in some containers. */
function tryRead(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function toName(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
