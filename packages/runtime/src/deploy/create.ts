import type { ResolvedConfig } from '../config.ts'
import type { RunFolder } from '../dispose/run-folder.ts'
import { toVisibleText } from '../visible-text.ts'
import { print } from '../watch/print.ts'
import { createKubernetesPlatform } from './kubernetes.ts'
import { createLocalPlatform } from './local.ts'
import type { Platform } from './platform.ts'

export interface PlatformOptions {
  readonly config: ResolvedConfig
  readonly runFolder: RunFolder
}

/** The platform that the configuration asks for. */
export function createPlatform(options: PlatformOptions): Platform {
  if (options.config.run.target !== 'kubernetes') return createLocalPlatform(options)
  return createKubernetesPlatform({
    ...options,
    onLine: (text) => print(process.stderr, `turbolift: ${toVisibleText(text)}\n`),
  })
}
