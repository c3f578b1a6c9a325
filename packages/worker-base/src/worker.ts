// The program of a worker process. Its main thread talks; executor threads run user code.
import { removePrivateFolder } from './folders/private.ts'
import { parseSettings } from './settings.ts'
import { startWorkerServer } from './server/worker-server.ts'
import { readToken } from './token-source.ts'

const settings = parseSettings(process.env)
if (settings.hasLifeline) {
  process.stdin.resume()
  process.stdin.on('end', exitNow).on('close', exitNow).on('error', exitNow)
}
const token = await readToken(process.env, process.stdin)
// Child processes of user code need not have it.
delete process.env['TURBOLIFT_TOKEN']

const server = await startWorkerServer(settings, {
  token,
  executor: new URL('executor.js', import.meta.url),
  functions: new URL('functions.js', import.meta.url),
})

// What is awaited nowhere must not take the calls of others with it. It is no state of theirs: each request, connection
// and executor answers for its own.
process.on('uncaughtException', (error) => console.error('The worker goes on after a fault of its own.', error))
for (const output of [process.stdout, process.stderr]) output.on('error', ignoreClosedPipe)

process.on('SIGTERM', () => void exitWhenDrained())
// Ctrl-C reaches the whole process group; the program then ends its workers in its own way.
process.on('SIGINT', () => undefined)

// In a container this is the first line of its log. A local worker's output is the program's own.
if (settings.listen.kind === 'port') console.log(`turbolift worker ${settings.workerId} listens on ${server.address}`)

async function exitWhenDrained(): Promise<void> {
  await server.drain()
  process.exit(0)
}

/** The program that started this worker is gone, perhaps without the chance to tidy up. */
function exitNow(): void {
  try {
    if (settings.runFolder !== undefined) removePrivateFolder(settings.runFolder)
  } finally {
    // Nobody is there to hear of what is left; the next program removes it.
    process.exit(0)
  }
}

/** Nobody reads the output any more: the lifeline says so as well, where there is one. */
function ignoreClosedPipe(): void {
  return undefined
}
