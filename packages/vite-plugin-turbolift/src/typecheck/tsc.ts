import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

/** The `tsc` that the project itself would run; undefined when it has none. */
export function findTsc(root: string): string | undefined {
  const require = createRequire(join(root, 'package.json'))
  try {
    const path = require.resolve('typescript/package.json')
    const { bin }: { readonly bin: { readonly tsc: string } } = require(path)
    return join(dirname(path), bin.tsc)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** Runs `tsc` and resolves to what it printed, whether or not it found errors. */
export async function runTsc(
  tsc: string,
  project: string,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<string> {
  const child = spawn(process.execPath, [tsc, '--project', project, '--pretty', 'false'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  const [output, messages] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return `${output}\n${messages}`
}
