import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'

/** A program as `vite build` leaves it, in a folder of its own. */
export interface BuiltProgram extends AsyncDisposable {
  /** Where its `package.json` and `vite.config.ts` are; it is run from there. */
  readonly root: string
  /** The one file to run. */
  readonly main: string
  /** What the build wrote to the terminal. */
  readonly output: string
}

/** Builds the program by the command that users type, into a new folder, so that tests can build it side by side. */
export async function buildProgram(root: string): Promise<BuiltProgram> {
  const folder = await mkdtemp(join(root, 'dist-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  // Vite's own command, started without a shell or a package manager in between.
  const vite = join(createRequire(join(root, 'package.json')).resolve('vite/package.json'), '../bin/vite.js')
  const child = spawn(process.execPath, [vite, 'build', '--outDir', relative(root, folder)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (child.exitCode !== 0) {
    await remove()
    throw new Error(`vite build failed in ${root}:\n${stdout}${stderr}`)
  }
  return { root, main: join(folder, 'main.js'), output: stdout + stderr, [Symbol.asyncDispose]: remove }
}

/** The two halves of a built program: the text of the main bundle without the workers in it, and that of the workers. */
export async function readHalves(program: BuiltProgram): Promise<{ readonly main: string; readonly worker: string }> {
  const bundle = await readFile(program.main, 'utf8')
  // The workers travel as base64 of gzip.
  const [embedded] = bundle.match(/(?<=files"?: ?")H4sI[A-Za-z0-9+/]{400,}=*/) ?? []
  if (embedded === undefined) throw new Error(`${program.main} carries no workers.`)
  const worker = gunzipSync(Buffer.from(embedded, 'base64')).toString()
  return { main: bundle.replace(embedded, ''), worker }
}
