import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { stripVTControlCharacters } from 'node:util'

import { findProcesses } from '../../../test/programs/leftovers.ts'

/** The built server, or Vite's, with a mark to find its workers by. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Ids of the processes that the server started. */
  workers(): Promise<number[]>
  /** Asks it to end, and resolves when it did. */
  end(): Promise<{ readonly exitCode: number | null; readonly stderr: string }>
}

/** Starts a command of Node that prints where it listens. */
export async function startServer(root: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const id = randomUUID()
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, TURBOLIFT_TEST_RUN: id },
  })
  const stderr = text(child.stderr)
  const exited = once(child, 'exit')
  const mark = `TURBOLIFT_TEST_RUN=${id}`
  const server: RunningServer = {
    url: await Promise.race([findUrl(child.stdout), exited.then(async () => Promise.reject(new Error(await stderr)))]),
    pid: child.pid ?? 0,
    workers: async () => (await findProcesses(mark)).filter((pid) => pid !== child.pid),
    async end() {
      child.kill('SIGTERM')
      await exited
      return { exitCode: child.exitCode, stderr: await stderr }
    },
    async [Symbol.asyncDispose]() {
      for (const left of await findProcesses(mark)) process.kill(left, 'SIGKILL')
      await exited
    },
  }
  return server
}

async function findUrl(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const port = /(?:localhost|0\.0\.0\.0|127\.0\.0\.1):.*?(\d+)/.exec(stripVTControlCharacters(line))?.[1]
    if (port !== undefined) {
      output.resume()
      return `http://localhost:${port}`
    }
  }
  throw new Error('The server ended without telling where it listens.')
}
