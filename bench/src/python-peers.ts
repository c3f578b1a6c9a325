import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import { runGroup } from './process-group.ts'

/** The newest versions at the time; whoever raises one runs the benchmark again. */
const VERSIONS = { ray: '2.60.0', distributed: '2026.8.0', joblib: '1.6.0' }
const FOLDER = resolve('node_modules/.cache/python')
const INSTALL_DEADLINE_MS = 300_000
const ROUND_DEADLINE_MS = 90_000

export interface PythonPeers {
  /** Name and version, by name. */
  readonly labels: ReadonlyMap<string, string>
  /** Why a peer is not there, by name. */
  readonly missing: ReadonlyMap<string, string>
}

/** Installs them into an environment of the benchmark's own. */
export async function preparePythonPeers(): Promise<PythonPeers> {
  const [labels, missing] = [new Map<string, string>(), new Map<string, string>()]
  for (const [peer, version] of Object.entries(VERSIONS)) {
    try {
      await install(peer, version)
      labels.set(peer, `${peer} ${version}`)
    } catch (error) {
      missing.set(peer, error instanceof Error ? error.message : String(error))
    }
  }
  const joblib = labels.get('joblib')
  if (joblib !== undefined) labels.set('joblib-batches', `${joblib}, in batches`)
  return { labels, missing }
}

/** Calls a second, of one round in a Python of its own, after a round that warms it up. */
export async function measurePython(
  peer: string,
  options: { workers: number; inFlight: number; roundMs: number },
): Promise<number> {
  const { workers, inFlight, roundMs } = options
  const args = ['python/tiny_calls.py', peer, ...[workers, inFlight, roundMs, 1].map(String)]
  const [rate] = JSON.parse(await runGroup(`${FOLDER}/bin/python`, args, ROUND_DEADLINE_MS))
  return rate
}

/** pip has nothing to do, and needs no network, when the version is there already. */
async function install(peer: string, version: string): Promise<void> {
  if (!existsSync(`${FOLDER}/bin/pip`)) await runGroup('python3', ['-m', 'venv', FOLDER], INSTALL_DEADLINE_MS)
  const options = ['install', '--quiet', '--disable-pip-version-check']
  await runGroup(`${FOLDER}/bin/python`, ['-m', 'pip', ...options, `${peer}==${version}`], INSTALL_DEADLINE_MS)
}
