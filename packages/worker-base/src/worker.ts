// The program of a worker process. Its main thread talks; executor threads run user code.
import { setTimeout } from './clock.ts'
import { removePrivateFolder } from './folders/private.ts'
import { onProgramGone, openLifeline } from './lifeline.ts'
import { parseSettings, takeSettings } from './settings.ts'
import { startWorkerServer } from './server/worker-server.ts'
import type { WorkerServer } from './server/worker-server.ts'
import { endProcesses, findOwnChildProcesses, untilReaped } from './threads/child-processes.ts'
import { readToken } from './token-source.ts'

/** For calls to notice that they are cancelled, and for stop hooks, when the program is gone. */
const GONE_GRACE_MS = 3000

const environment = takeSettings(process.env)
const settings = parseSettings(environment)
let started: WorkerServer | undefined
const lifeline = openLifeline(settings.lifeline)
if (settings.lifeline !== undefined) onProgramGone(lifeline, () => void exitAfterProgram())
const token = await readToken(environment, lifeline)

const server = await startWorkerServer(settings, {
  token,
  executor: new URL('executor.js', import.meta.url),
  functions: new URL('functions.js', import.meta.url),
})
started = server

// What is awaited nowhere must not take the calls of others with it. It is no state of theirs: each request, connection
// and executor answers for its own.
process.on('uncaughtException', (error) => console.error('The worker goes on after a fault of its own.', error))
for (const output of [process.stdout, process.stderr]) output.on('error', ignoreClosedPipe)

process.on('SIGTERM', () => void exitWhenDrained())
process.on('SIGHUP', () => void exitWhenDrained())
// Ctrl-C is meant for the program, which then ends its workers in its own way.
process.on('SIGINT', () => undefined)

// In a container this is the first line of its log. A local worker's output is the program's own.
if (settings.listen.kind === 'port') console.log(`turbolift worker ${settings.workerId} listens on ${server.address}`)

async function exitWhenDrained(): Promise<void> {
  const children = findOwnChildProcesses()
  await server.drain()
  await untilReaped(children)
  process.exit(0)
}

/** The program that started this worker is gone, perhaps without the chance to tidy up. */
async function exitAfterProgram(): Promise<void> {
  const grace = new Promise<void>((resolve) => setTimeout(resolve, GONE_GRACE_MS))
  // Its connections are closed as well, which cancels its calls.
  await Promise.race([started?.drain(), grace])
  try {
    if (settings.runFolder !== undefined) removePrivateFolder(settings.runFolder)
  } finally {
    // Nobody is there to hear of what is left; the next program removes it. The group has what user code has started and
    // left, and this process: nothing runs after it is ended.
    if (settings.lifeline === 'own' && process.platform !== 'win32') endProcesses([-process.pid])
    process.exit(0)
  }
}

/** Nobody reads the output any more: the lifeline says so as well, where there is one. */
function ignoreClosedPipe(): void {
  return undefined
}
