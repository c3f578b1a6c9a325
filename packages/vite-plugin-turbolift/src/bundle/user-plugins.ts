import { createFilesPlugin } from './files-plugin.ts'
import { createStripPlugin } from './strip-plugin.ts'

/**
 * Hooks of the user's plugins that are about the program as a whole: what they emit and write, and when it begins and
 * ends. The workers' build is a part of the program's and runs in the midst of it, with the same plugins, so they are
 * left to the program's.
 */
const OF_THE_PROGRAM = [
  'buildStart',
  'buildEnd',
  'renderStart',
  'renderError',
  'generateBundle',
  'writeBundle',
  'closeBundle',
  'closeWatcher',
  'watchChange',
]

/** Those by which plugins of Vite make the configuration, which the workers' build has from the program's. */
const OF_THE_CONFIGURATION = ['config', 'configResolved', 'options', 'outputOptions', 'buildApp']

/** The plugins of the workers' build: the program's, with the one for workers in the place of ours. */
export async function withPlugins(plugins: unknown, child: readonly object[]): Promise<unknown[]> {
  return await replaceOurs(plugins, child, OF_THE_PROGRAM)
}

/** As `withPlugins`, of Vite. */
export async function withVitePlugins(plugins: unknown, child: readonly object[]): Promise<unknown[]> {
  return await replaceOurs(plugins, child, [...OF_THE_PROGRAM, ...OF_THE_CONFIGURATION])
}

async function replaceOurs(plugins: unknown, child: readonly object[], hooks: readonly string[]): Promise<unknown[]> {
  const flat = await flatten(plugins)
  const index = flat.findIndex(isOurs)
  const others = flat.filter((one) => !isOurs(one)).map((one) => withoutHooks(one, hooks))
  return others.toSpliced(index === -1 ? others.length : index, 0, createStripPlugin(), ...child, createFilesPlugin())
}

export async function flatten(plugins: unknown): Promise<unknown[]> {
  const settled: unknown = await plugins
  if (!Array.isArray(settled)) return settled === undefined || settled === null || settled === false ? [] : [settled]
  return (await Promise.all(settled.map(flatten))).flat()
}

function isOurs(plugin: unknown): boolean {
  return (
    typeof plugin === 'object' && plugin !== null && 'name' in plugin && String(plugin.name).startsWith('turbolift')
  )
}

/** A copy that has all of a plugin but some hooks; the plugin itself where it has none of them. */
function withoutHooks(plugin: unknown, hooks: readonly string[]): unknown {
  if (typeof plugin !== 'object' || plugin === null) return plugin
  const gone = hooks.filter((hook) => hook in plugin)
  if (gone.length === 0) return plugin
  const copy: object = Object.create(Object.getPrototypeOf(plugin), Object.getOwnPropertyDescriptors(plugin))
  for (const hook of gone) Object.defineProperty(copy, hook, { value: undefined, enumerable: false, writable: true })
  return copy
}
