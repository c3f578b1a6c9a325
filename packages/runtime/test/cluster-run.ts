import { gzipSync } from 'node:zlib'
import { once } from 'node:events'
import { EventEmitter } from 'node:events'

import type { ConfigInput } from '../src/config.ts'
import { resolveConfig } from '../src/config/resolve.ts'
import { packArchive } from '../src/deliver/archive.ts'
import { createKubernetesPlatform } from '../src/deploy/kubernetes.ts'
import type { Deployment, Platform, WorkerAddress } from '../src/deploy/platform.ts'
import { createRunFolder } from '../src/dispose/run-folder.ts'
import type { LiftError } from '../src/errors.ts'
import { hashFiles } from '../src/manifest.ts'
import type { LiftManifest } from '../src/manifest.ts'

/** A manifest of these files. */
export function toManifest(program: string, files: Readonly<Record<string, string>>): LiftManifest {
  const entries = Object.entries({ 'package.json': '{"type":"module"}', ...files })
  const packed = entries.map(([name, text]) => ({ name, data: Buffer.from(text) }))
  return {
    version: 1,
    program,
    hash: hashFiles(packed),
    functions: {},
    options: {},
    externals: [],
    files: gzipSync(packArchive(packed)).toString('base64'),
  }
}

/** One pool on the cluster, and what it tells. */
export interface TestPool extends AsyncDisposable {
  readonly platform: Platform
  readonly deployment: Deployment
  readonly lines: readonly string[]
  /** The next worker that comes, goes, or the failure. */
  next(event: 'worker'): Promise<WorkerAddress>
  next(event: 'gone'): Promise<{ readonly id: string; readonly reason: LiftError | undefined }>
  next(event: 'failed'): Promise<LiftError>
}

/** Deploys the manifest's pool as the runtime does, with events to wait for. */
export async function openTestPool(manifest: LiftManifest, options: ConfigInput): Promise<TestPool> {
  const told = new EventEmitter()
  const lines: string[] = []
  const runFolder = createRunFolder()
  const config = resolveConfig({ manifest: { target: 'kubernetes', ...options }, environment: {}, configured: [] })
  const platform = createKubernetesPlatform({ config, runFolder, onLine: (line) => lines.push(line) })
  const events = {
    onWorker: (worker: WorkerAddress) => told.emit('worker', worker),
    onWorkerGone: (id: string, reason: LiftError | undefined) => told.emit('gone', { id, reason }),
    onRefused: () => undefined,
    onFailed: (error: LiftError) => told.emit('failed', error),
  }
  const end = async () => {
    await platform[Symbol.asyncDispose]()
    runFolder[Symbol.dispose]()
  }
  try {
    const deployment = await platform.deploy({
      manifest,
      pool: 'default',
      events,
      signal: AbortSignal.timeout(120_000),
    })
    const next = async (event: string) => (await once(told, event, { signal: AbortSignal.timeout(100_000) }))[0]
    return { platform, deployment, lines, next, [Symbol.asyncDispose]: end }
  } catch (error) {
    await end()
    throw error
  }
}
