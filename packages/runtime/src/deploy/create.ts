import type { ResolvedConfig } from '../config.ts'
import type { RunFolder } from '../dispose/run-folder.ts'
import { print } from '../watch/print.ts'
import { createLocalPlatform } from './local.ts'
import type { Platform } from './platform.ts'

export interface PlatformOptions {
  readonly config: ResolvedConfig
  readonly runFolder: RunFolder
}

/** The platform that the configuration asks for. Code for the cluster is only loaded when it is the cluster. */
export async function createPlatform(options: PlatformOptions): Promise<Platform> {
  if (options.config.run.target !== 'kubernetes') return createLocalPlatform(options)
  const { createKubernetesPlatform } = await import('./kubernetes.ts')
  return createKubernetesPlatform({ ...options, onLine: (text) => print(process.stderr, `turbolift: ${text}\n`) })
}
