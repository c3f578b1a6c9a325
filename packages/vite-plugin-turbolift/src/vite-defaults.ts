import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

import type { HostMeta } from './bundle/host.ts'

/** The part of a user's Vite configuration that says what to build. */
export interface UserConfig {
  readonly root?: string | undefined
  readonly build?: {
    readonly ssr?: unknown
    readonly lib?: unknown
    readonly rollupOptions?: { readonly input?: unknown }
    readonly rolldownOptions?: { readonly input?: unknown }
  }
  readonly builder?: unknown
  readonly environments?: object
}

const ENTRIES = ['src/main.ts', 'src/main.tsx', 'src/main.js', 'src/index.ts', 'src/index.js']

/**
 * What `vite build` needs for a program of Node, when the user's configuration asks for nothing else: one
 * self-contained file. `undefined` where the user or a framework has set an entry, or there is a page.
 */
export function viteDefaults(config: UserConfig, meta: HostMeta): object | undefined {
  const entry = findDefaultEntry(config)
  if (entry === undefined) return undefined
  // Vite 7 bundles with Rollup, which has another name for it.
  const oneFile = meta.rolldownVersion === undefined ? { inlineDynamicImports: true } : { codeSplitting: false }
  return {
    build: {
      ssr: entry,
      target: 'node20',
      rollupOptions: { output: { format: 'es', entryFileNames: '[name].js', ...oneFile } },
    },
    ssr: { noExternal: true },
  }
}

/** The program's module, from its root; `undefined` where an entry is set, or there is a page. */
export function findDefaultEntry(config: UserConfig): string | undefined {
  const { build, builder, environments } = config
  const hasInput = build?.rollupOptions?.input !== undefined || build?.rolldownOptions?.input !== undefined
  if (hasInput || build?.ssr !== undefined || build?.lib !== undefined || builder !== undefined) return undefined
  if (environments !== undefined && Object.keys(environments).length > 0) return undefined
  const root = resolve(config.root ?? '.')
  const entry = ENTRIES.find((path) => existsSync(join(root, path)))
  return existsSync(join(root, 'index.html')) ? undefined : entry
}
