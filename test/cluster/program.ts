import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build } from 'rolldown'

/** A program in a process of its own. Disposing kills it. */
export interface TestProgram extends AsyncDisposable {
  readonly child: ChildProcess
}

export interface ProgramOptions {
  readonly arguments: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Bundles a TypeScript program of this folder with the sources that it imports, and starts it. */
export async function startProgram(file: string, options: ProgramOptions): Promise<TestProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'turbolift-test-'))
  const path = join(folder, 'program.mjs')
  await build({
    input: fileURLToPath(new URL(file, import.meta.url)),
    platform: 'node',
    resolve: { conditionNames: ['turbolift-source', 'node', 'import', 'default'] },
    output: { file: path, format: 'esm', codeSplitting: false },
    logLevel: 'silent',
  })
  const worker = fileURLToPath(new URL('../../packages/worker-base/dist', import.meta.url))
  const env = { ...process.env, TURBOLIFT_TEST_WORKER: worker, ...options.env }
  const child = fork(path, [...options.arguments], { env })
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await rm(folder, { recursive: true })
    },
  }
}
