import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface Tsc {
  readonly path: string
  /**
   * Whether what it keeps from one run to the next can be trusted. That of 7.0 misses changes of global declarations.
   * @see https://github.com/microsoft/typescript-go/issues/4664
   */
  readonly keepsState: boolean
}

/** The `tsc` that the project itself would run; undefined when it has none. */
export function findTsc(root: string): Tsc | undefined {
  const path = findPackage(root)
  if (path === undefined) return undefined
  const { bin, version }: { readonly bin: { readonly tsc: string }; readonly version: string } = JSON.parse(
    readFileSync(path, 'utf8'),
  )
  return { path: join(dirname(path), bin.tsc), keepsState: !version.startsWith('7.0.') }
}

/** Looks where imports look; not in the folders of `NODE_PATH`, in which package managers put what is theirs. */
function findPackage(folder: string): string | undefined {
  const path = join(folder, 'node_modules/typescript/package.json')
  if (existsSync(path)) return path
  return dirname(folder) === folder ? undefined : findPackage(dirname(folder))
}

/** Runs `tsc` and resolves to what it printed, whether or not it found errors. */
export async function runTsc(
  { path }: Tsc,
  project: string,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<string> {
  const child = spawn(process.execPath, [path, '--project', project, '--pretty', 'false'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  const [output, messages] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return `${output}\n${messages}`
}
