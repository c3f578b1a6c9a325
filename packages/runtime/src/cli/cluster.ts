import { existsSync } from 'node:fs'

import type { ResolvedConfig } from '../config.ts'
import { resolveConfig } from '../config/resolve.ts'
import { type KubernetesClient, openClient } from '../deploy/client.ts'
import type { LiftManifest } from '../manifest.ts'
import { type CommandCall, textOption } from './command.ts'
import { readManifest } from './manifest-file.ts'

/** Where a built program is when nobody says so. */
const DEFAULT_BUNDLE = 'dist/main.js'

/** Options of all commands that speak to a cluster. */
export const clusterOptions = {
  namespace: { type: 'string', short: 'n' },
  context: { type: 'string' },
  bundle: { type: 'string' },
} as const

export const clusterExplanations: Readonly<Record<string, string>> = {
  namespace: 'namespace to look at; default: as for programs',
  context: 'context of the kubeconfig; default: as for programs',
  bundle: `built program whose options apply; default: ${DEFAULT_BUNDLE}, where it exists`,
}

export interface ProgramConfig {
  readonly config: ResolvedConfig
  /** Of the built program, where there is one. */
  readonly manifest: LiftManifest | undefined
}

/**
 * The configuration that a program here would run with: options of its bundle, then variables, then the command line.
 * @throws ConfigError as for programs, or `BUNDLE_UNREADABLE`
 */
export function readConfig(call: CommandCall): ProgramConfig {
  const bundle = textOption(call, 'bundle')
  const manifest =
    bundle === undefined && !existsSync(DEFAULT_BUNDLE) ? undefined : readManifest(bundle ?? DEFAULT_BUNDLE)
  const namespace = textOption(call, 'namespace')
  const context = textOption(call, 'context')
  const kubernetes = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(context === undefined ? {} : { context }),
  }
  const config = resolveConfig({
    manifest: manifest?.options ?? {},
    environment: process.env,
    configured: [{ kubernetes }],
  })
  return { config, manifest }
}

/** The cluster that a program here would use. */
export async function openCluster(call: CommandCall): Promise<ProgramConfig & { readonly client: KubernetesClient }> {
  const program = readConfig(call)
  const { namespace, context } = program.config.kubernetes
  return {
    ...program,
    client: await openClient({ namespace, context, onWarning: (text) => call.output.note(`warning: ${text}`) }),
  }
}
