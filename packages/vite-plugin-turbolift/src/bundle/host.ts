import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The bundler that runs the plugin. */
export type HostKind = 'vite' | 'rolldown' | 'rollup'

/** `this.meta` of plugin contexts: each host adds its own version. */
export interface HostMeta {
  readonly viteVersion?: string
  readonly rolldownVersion?: string
  readonly rollupVersion?: string
}

export function hostKindOf(meta: HostMeta): HostKind {
  if (meta.viteVersion !== undefined) return 'vite'
  return meta.rolldownVersion === undefined ? 'rollup' : 'rolldown'
}

/** Imports the host's own module from the project, so that the child build is made by the same version. */
export async function importFromProject(name: string, root: string): Promise<unknown> {
  const entry = findInProject(name, root)
  if (entry === undefined) return import(/* @vite-ignore */ name)
  return import(/* @vite-ignore */ pathToFileURL(entry).href)
}

function findInProject(name: string, root: string): string | undefined {
  try {
    return createRequire(join(root, 'package.json')).resolve(name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
