// Runs in the executors of workers in dev: lifted functions come from the Vite server, not from built chunks.
import { once } from 'node:events'
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'
import { resolve } from 'node:path'

import type { ModuleRunner, ModuleRunnerTransport } from 'vite/module-runner'

import { LIFTED_EXPORT } from '../lifted-export.ts'
import { importModuleRunner } from './import-vite.ts'
import { readLines, sendLine } from './lines.ts'

export interface DevServer {
  /** Socket of the channel to the environment whose modules are worker slices. */
  readonly address: string
  /** Folder that lift ids are relative to. */
  readonly root: string
}

/**
 * Finds a lifted function by its id, anew for every call: a module that has not changed comes from the runner's
 * cache, one that has is live in the next call, and calls that run keep the code that they began with.
 */
export type LoadFunction = (id: string) => Promise<unknown>

export function createLoader({ address, root }: DevServer): LoadFunction {
  let runner: Promise<ModuleRunner> | undefined
  return async (id) => {
    runner ??= connect({ address, root })
    const [module = '', path = ''] = id.split('#')
    return pickLifted(await (await runner).import(resolve(root, module)), path)
  }
}

/** Undefined when the module no longer has that function. */
function pickLifted(module: Readonly<Record<string, unknown>>, path: string): unknown {
  const table = module[LIFTED_EXPORT]
  return typeof table === 'object' && table !== null ? Reflect.get(table, path) : undefined
}

async function connect({ address, root }: DevServer): Promise<ModuleRunner> {
  const { ESModulesEvaluator, ModuleRunner } = await importModuleRunner(root)
  const socket = createConnection(address).unref()
  await once(socket, 'connect')
  return new ModuleRunner({ transport: toTransport(socket), hmr: { logger: false } }, new ESModulesEvaluator())
}

function toTransport(socket: Socket): ModuleRunnerTransport {
  return {
    connect({ onMessage, onDisconnection }) {
      readLines(socket, onMessage)
      // The server ended; calls that come after it are told so by the runner.
      socket.on('error', () => socket.destroy()).on('close', onDisconnection)
    },
    send: (message) => sendLine(socket, message),
    timeout: 60_000,
  }
}
