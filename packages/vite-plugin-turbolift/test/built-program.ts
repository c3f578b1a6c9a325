import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'

import { parseTar } from 'nanotar'

/** What a build wrote: the program's own code, and the files of its workers. */
export interface BuiltProgram {
  /** All chunks of the program, without the packed workers. */
  readonly main: string
  /** By path. */
  readonly workers: ReadonlyMap<string, string>
  /** All code of the workers but the worker program itself. */
  readonly workerCode: string
}

const PACKED = /(?:"files"|files): ?(?:"|'|`)([A-Za-z0-9+/=]*)(?:"|'|`)/

/** Takes a built program apart. */
export async function readProgram(root: string): Promise<BuiltProgram> {
  const names = (await readdir(join(root, 'dist'), { recursive: true })).filter((name) => name.endsWith('.js'))
  const text = (await Promise.all(names.map((name) => readFile(join(root, 'dist', name), 'utf8')))).join('\n')
  const packed = PACKED.exec(text)?.[1] ?? ''
  const files = parseTar(new Uint8Array(gunzipSync(Buffer.from(packed, 'base64'))))
  const workers = new Map(files.map(({ name, text: content }) => [name, content]))
  const own = [...workers].filter(([name]) => !['worker.js', 'executor.js'].includes(name) && !name.endsWith('.map'))
  return { main: text.replace(packed, ''), workers, workerCode: own.map(([, content]) => content).join('\n') }
}

export interface RunResult {
  readonly stdout: string
  readonly stderr: string
}

/** Runs `dist/main.js` in a process of its own. */
export async function runProgram(root: string, environment: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  const env = { ...process.env, VITEST: undefined, TURBOLIFT_PROGRESS: '0', ...environment }
  return promisify(execFile)(process.execPath, ['--enable-source-maps', join(root, 'dist/main.js')], { cwd: root, env })
}
