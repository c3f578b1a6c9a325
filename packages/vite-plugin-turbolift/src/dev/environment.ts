import type { DevEnvironment, EnvironmentOptions, ResolvedConfig } from 'vite'

import { createSocketChannel } from './channel.ts'
import { importVite } from './import-vite.ts'

/** The environment whose modules are worker slices; the plugin's transform asks for this name. */
export const WORKER_ENVIRONMENT = 'turbolift_worker'

/** Options of the environment from which workers load their modules in dev. */
export function workerEnvironment(): EnvironmentOptions {
  return { consumer: 'server', dev: { createEnvironment } }
}

async function createEnvironment(name: string, config: ResolvedConfig): Promise<DevEnvironment> {
  const { DevEnvironment } = await importVite(config.root)
  const channel = await createSocketChannel()
  const environment = new DevEnvironment(name, config, { hot: true, transport: channel })
  addresses.set(environment, channel.address)
  return environment
}

const addresses = new WeakMap<object, string>()

/** Where workers reach an environment that `workerEnvironment` made. */
export function addressOf(environment: object | undefined): string | undefined {
  return environment === undefined ? undefined : addresses.get(environment)
}
