// Runs in the executors of workers in dev: lifted functions come from the Vite server, not from built chunks.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'
import { resolve } from 'node:path'

import { parseLiftId } from 'turbolift/manifest'
import type { ModuleRunner, ModuleRunnerTransport } from 'vite/module-runner'

import { liftedExportOf } from '../lifted-export.ts'
import { cleanId } from '../module-id.ts'
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
    const { module, path } = parseLiftId(id)
    const exports = await (await runner).import(toUrl(root, module))
    const table = exports[liftedExportOf(module)]
    // Undefined when the module no longer has that function.
    return typeof table === 'object' && table !== null ? Reflect.get(table, path) : undefined
  }
}

/** What the server knows a module by. Ids that begin with a null byte have a form of their own in its addresses. */
function toUrl(root: string, module: string): string {
  if (module.startsWith('\0')) return `/@id/__x00__${module.slice(1)}`
  const file = resolve(root, module)
  return existsSync(cleanId(file)) ? file : module
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
