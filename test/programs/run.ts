import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import type { BuiltProgram } from './build.ts'
import { findLeftovers, findProcesses } from './leftovers.ts'

export type Target = 'local' | 'inline' | 'kubernetes'

export interface RunOptions {
  readonly target: Target
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** How a program ended. */
export interface Ended {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Processes and files of the program that are still there; empty when it cleaned up. */
  readonly leftovers: readonly string[]
}

/** A program that runs, with a temporary folder of its own and a mark in its environment to find its processes by. */
export interface RunningProgram extends AsyncDisposable {
  readonly child: ChildProcess & { readonly pid: number }
  /** Ids of the other processes that the program started. */
  workers(): Promise<number[]>
  readonly ended: Promise<Ended>
}

/** Runs a built program to its end. */
export async function runProgram(program: BuiltProgram, options: RunOptions): Promise<Ended> {
  await using running = await startProgram(program, options)
  return await running.ended
}

/** Starts a built program; disposing ends what is left of it. */
export async function startProgram(program: BuiltProgram, options: RunOptions): Promise<RunningProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'run-'))
  const id = randomUUID()
  const mark = `TURBOLIFT_TEST_RUN=${id}`
  const child = spawn(process.execPath, [program.main, ...(options.args ?? [])], {
    cwd: program.root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder, TURBOLIFT_TARGET: options.target, ...options.env, TURBOLIFT_TEST_RUN: id },
  })
  await once(child, 'spawn')
  const { pid } = child
  if (pid === undefined) throw new Error('The program has no process id.')
  const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return {
    child: Object.assign(child, { pid }),
    workers: async () => (await findProcesses(mark)).filter((worker) => worker !== pid),
    ended: output.then(async ([stdout, stderr]) => ({
      exitCode: child.exitCode,
      signal: child.signalCode,
      stdout,
      stderr,
      leftovers: await findLeftovers({ mark, folder }),
    })),
    async [Symbol.asyncDispose]() {
      for (const left of await findProcesses(mark)) process.kill(left, 'SIGKILL')
      await output
      await rm(folder, { recursive: true, force: true })
    },
  }
}
