import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PEERS = ['ray', 'distributed', 'joblib']
const FOLDER = resolve('node_modules/.cache/python')

export interface PythonPeers {
  /** The interpreter that has them. */
  readonly python: string
  /** Name and version, by name. */
  readonly labels: ReadonlyMap<string, string>
  /** Why a peer is not there, by name. */
  readonly missing: ReadonlyMap<string, string>
}

/** Installs them into an environment of the benchmark's own; `BENCH_PYTHON` names another. */
export async function preparePythonPeers(): Promise<PythonPeers> {
  const python = process.env['BENCH_PYTHON'] ?? `${FOLDER}/bin/python`
  const [labels, missing] = [new Map<string, string>(), new Map<string, string>()]
  for (const peer of PEERS) {
    try {
      labels.set(peer, await findOrInstall(python, peer))
    } catch (error) {
      missing.set(peer, toReason(error))
    }
  }
  return { python, labels, missing }
}

async function findOrInstall(python: string, peer: string): Promise<string> {
  const found = await readVersion(python, peer).catch(() => undefined)
  if (found !== undefined) return found
  if (process.env['BENCH_PYTHON'] === undefined && !existsSync(python)) await run('python3', ['-m', 'venv', FOLDER])
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', peer])
  return await readVersion(python, peer)
}

async function readVersion(python: string, peer: string): Promise<string> {
  const { stdout } = await run(python, ['-c', `import ${peer}; print(${peer}.__version__)`])
  return `${peer} ${stdout.trim()}`
}

/** The last line says it best: pip and Python write the reason there. */
function toReason(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
  return text.trim().split('\n').at(-1) ?? 'unknown'
}
