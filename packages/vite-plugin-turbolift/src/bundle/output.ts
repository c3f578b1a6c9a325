import { dirname, relative, resolve } from 'node:path'

/** A file of the worker's folder. */
export interface WorkerFile {
  /** Relative, with forward slashes. */
  readonly path: string
  readonly content: string | Uint8Array
}

/** What all bundlers return of a build that writes nothing. */
export type OutputItem =
  | {
      readonly type: 'chunk'
      readonly fileName: string
      readonly code: string
      readonly map: { toString(): string } | null
    }
  | { readonly type: 'asset'; readonly fileName: string; readonly source: string | Uint8Array }

/** Output options of a child build, for all bundlers. */
export interface ChildOutputOptions {
  readonly format: 'es'
  readonly dir: string
  readonly sourcemap: true
  readonly sourcemapExcludeSources: true
  readonly entryFileNames: string
  readonly chunkFileNames: (chunk: { readonly name: string }) => string
  readonly assetFileNames: string
  readonly sourcemapPathTransform: (path: string, mapPath: string) => string
}

export function toOutputOptions(root: string): ChildOutputOptions {
  return {
    format: 'es',
    dir: resolve(root, 'node_modules/.turbolift/workers'),
    sourcemap: true,
    // Positions are all that stacks need; texts would take what only the main program has to the workers.
    sourcemapExcludeSources: true,
    entryFileNames: 'functions.js',
    // What a name has of patterns, or of ways to other folders, is no part of a file's name.
    chunkFileNames: ({ name }) => `chunks/${name.replaceAll(/[^\w.-]/g, '_').replace(/^\.+/, '')}-[hash].js`,
    assetFileNames: 'assets/[name]-[hash][extname]',
    // Stacks of workers name sources as people know them: from the root.
    sourcemapPathTransform: (path, mapPath) => relative(root, resolve(dirname(mapPath), path)).replaceAll('\\', '/'),
  }
}

/** Of rolldown, which by default reads chunks again to remove dead code: that takes longer than to make them. */
export const ROLLDOWN_OUTPUT = { minify: false } as const

export function toWorkerFiles(output: readonly OutputItem[]): WorkerFile[] {
  const files = new Map<string, string | Uint8Array>()
  for (const item of output) {
    files.set(item.fileName, item.type === 'asset' ? item.source : item.code)
  }
  // Last, since rolldown lists the maps among the assets too.
  for (const item of output) {
    if (item.type === 'chunk' && item.map !== null) files.set(`${item.fileName}.map`, item.map.toString())
  }
  return [...files].map(([path, content]) => ({ path, content }))
}
