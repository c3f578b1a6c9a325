import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'

import { createTar } from 'nanotar'

import { hashFiles } from '../src/manifest.ts'
import type { LiftManifest, LiftedEntry, ManifestFile } from '../src/manifest.ts'

const runtime = new URL(process.env['RUNTIME_DIST'] ?? '../dist/', import.meta.url)
const workerBase = new URL(process.env['WORKER_DIST'] ?? '../../worker-base/dist/', import.meta.url)

export interface ProgramSource {
  /** Body of an object: `square: async (n) => n * n,`. Names that begin with `stream` are async generators. */
  readonly functions: string
  /** Code in front of it, in the worker. */
  readonly head?: string
  /** The main program; finds each lifted function by its name, and all of `turbolift`. */
  readonly main: string
  readonly options?: LiftManifest['options']
}

/** A program as the plugin would build it, run as a process of its own. */
export interface Program extends AsyncDisposable {
  readonly path: string
  /** The only place where it may leave temporary files. */
  readonly temporary: string
  /** Starts it; it may still be running. */
  start(environment?: Readonly<Record<string, string>>): ChildProcessWithoutNullStreams
  run(environment?: Readonly<Record<string, string>>): Promise<Ended>
  /** Files in its temporary folder, and processes that were started from it. */
  leftovers(): Promise<readonly string[]>
}

export interface Ended {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The manifest that the plugin would make of these functions. */
export async function toManifest({ functions, head = '', options = {} }: ProgramSource): Promise<LiftManifest> {
  const names = [...functions.matchAll(/^\s*(?:async \*?)?(\w+)(?::|\()/gm)].map(([, name]) => name ?? '')
  const code = `${head}\nconst all = {\n${functions}\n}\nexport const functions = Object.fromEntries(Object.entries(all).map(([name, fn]) => ['main.ts#' + name, async () => fn]))\n`
  const files: ManifestFile[] = [
    { name: 'functions.js', data: Buffer.from(code) },
    { name: 'package.json', data: Buffer.from('{"type":"module"}') },
    { name: 'worker.js', data: await readFile(new URL('worker.js', workerBase)) },
    { name: 'executor.js', data: await readFile(new URL('executor.js', workerBase)) },
  ]
  const toEntry = (name: string): LiftedEntry => ({ name, pool: 'default', kind: kindOf(name) })
  return {
    version: 1,
    program: 'test',
    hash: hashFiles(files),
    functions: Object.fromEntries(names.map((name) => [`main.ts#${name}`, toEntry(name)])),
    options,
    externals: [],
    files: gzipSync(createTar(files.map(({ name, data }) => ({ name, data })))).toString('base64'),
  }
}

export async function createProgram(source: ProgramSource): Promise<Program> {
  const manifest = await toManifest(source)
  const folder = await mkdtemp(join(tmpdir(), 'program-'))
  const temporary = join(folder, 'tmp')
  await mkdir(temporary)
  const path = join(folder, 'main.mjs')
  await writeFile(path, toMain(manifest, source.main))
  const start: Program['start'] = (environment = {}) =>
    spawn(process.execPath, [path], { env: { ...process.env, TMPDIR: temporary, ...environment }, stdio: 'pipe' })
  return {
    path,
    temporary,
    start,
    run: async (environment) => waitForEnd(start(environment)),
    leftovers: async () => [...(await readdir(temporary)), ...(await processesFrom(temporary))],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

export async function waitForEnd(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  child.stdin.end()
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    child.exitCode ?? once(child, 'exit'),
  ])
  return { exitCode: child.exitCode, signal: child.signalCode, stdout, stderr }
}

function toMain(manifest: LiftManifest, main: string): string {
  const lifted = Object.entries(manifest.functions).map(([id, { name, pool, kind }]) => {
    const meta = JSON.stringify({ id, name, length: 1, pool, kind })
    return `const ${name} = $lift(manifest, ${meta}${name.startsWith('captured') ? ', () => captures' : ''})`
  })
  return [
    `import { createLiftedFunction as $lift } from ${JSON.stringify(new URL('internal.js', runtime).href)}`,
    `import * as turbolift from ${JSON.stringify(new URL('index.js', runtime).href)}`,
    'const { map, starmap, forEach, lift, configure } = turbolift',
    `const manifest = ${JSON.stringify(manifest)}`,
    'let captures = []',
    ...lifted,
    main,
  ].join('\n')
}

function kindOf(name: string): LiftedEntry['kind'] {
  return name.startsWith('stream') ? 'stream' : 'call'
}

/** Linux only; elsewhere only files are looked at. */
async function processesFrom(folder: string): Promise<readonly string[]> {
  const pids = await readdir('/proc').catch(() => [])
  const found: string[] = []
  for (const pid of pids.filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command.includes(folder)) found.push(`${pid} ${command.replaceAll('\0', ' ')}`)
  }
  return found
}
