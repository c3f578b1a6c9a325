import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
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

/** Starts a TypeScript program of this folder, bundled with the sources that it imports. */
export async function startProgram(file: string, options: ProgramOptions): Promise<TestProgram> {
  const path = bundled.get(file) ?? bundle(file)
  bundled.set(file, path)
  const worker = fileURLToPath(new URL('../../packages/worker-base/dist', import.meta.url))
  const env = { ...process.env, TURBOLIFT_TEST_WORKER: worker, ...options.env }
  const child = fork(await path, [...options.arguments], { env })
  return { child, [Symbol.asyncDispose]: async () => void child.kill('SIGKILL') }
}

const bundled = new Map<string, Promise<string>>()

async function bundle(file: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-test-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const path = join(folder, 'program.mjs')
  await build({
    input: fileURLToPath(new URL(file, import.meta.url)),
    platform: 'node',
    // As packages are built: what Node 20 does not know yet is written for it.
    transform: { target: 'node20.19' },
    resolve: { conditionNames: ['turbolift-source', 'node', 'import', 'default'] },
    output: { file: path, format: 'esm', codeSplitting: false },
    logLevel: 'silent',
  })
  return path
}
