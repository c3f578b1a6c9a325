import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { ConfigError } from '../errors.ts'
import { textOption, wrongUsage } from './command.ts'
import type { Command } from './command.ts'

export const dev: Command = {
  about: 'Runs a program from its sources, without a build; an edited lifted function is live in its next call.',
  usage: '<module> [-- <arguments of the program>]',
  options: { root: { type: 'string' }, mode: { type: 'string' } },
  explain: { root: 'folder of vite.config, default the current one', mode: "Vite's mode, default development" },
  isProgram: true,
  async run(call) {
    const [entry, ...args] = call.positionals
    if (entry === undefined) throw wrongUsage('The module to run is missing.', 'Name it: "turbolift dev src/main.ts".')
    const root = resolve(textOption(call, 'root') ?? '.')
    const runDev = await loadRunDev(root)
    const result = await runDev({ root, entry, args, mode: textOption(call, 'mode') })
    if (result === 'plugin-not-configured') throw pluginNotConfigured(root)
    return Number(process.exitCode ?? 0)
  },
}

type RunDev = (run: {
  readonly root: string
  readonly entry: string
  readonly args: readonly string[]
  readonly mode: string | undefined
}) => Promise<unknown>

/** The plugin of the project: it knows the project's Vite, which this package does not depend on. */
async function loadRunDev(root: string): Promise<RunDev> {
  const path = resolvePlugin(root)
  const module: unknown = await import(pathToFileURL(path).href)
  const runDev = typeof module === 'object' && module !== null ? Reflect.get(module, 'runDev') : undefined
  if (typeof runDev !== 'function') throw pluginMissing(root, new Error(`${path} exports no "runDev".`))
  return async (run) => Reflect.apply(runDev, undefined, [run])
}

function resolvePlugin(root: string): string {
  try {
    return createRequire(join(root, 'package.json')).resolve('vite-plugin-turbolift/dev')
  } catch (cause) {
    throw pluginMissing(root, cause)
  }
}

function pluginNotConfigured(root: string): ConfigError {
  return new ConfigError('PLUGIN_NOT_CONFIGURED', {
    what: `The Vite configuration of ${root} does not have the plugin.`,
    why: 'Without it no function is lifted.',
    fix: 'Add "turbolift()" of "vite-plugin-turbolift" to "plugins" in vite.config.ts.',
  })
}

function pluginMissing(root: string, cause: unknown): ConfigError {
  return new ConfigError(
    'PLUGIN_MISSING',
    {
      what: `No usable vite-plugin-turbolift in ${root}.`,
      why: 'The program is compiled by the plugin that the project has installed.',
      fix: 'Install "vite-plugin-turbolift" and "vite" there, or name the right folder by --root.',
    },
    { cause },
  )
}
