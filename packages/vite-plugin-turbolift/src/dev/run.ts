import { resolve } from 'node:path'

import type { ViteDevServer } from 'vite'

import { importVite } from './import-vite.ts'
import { createLoadedFilesWatcher } from './watch-loaded.ts'

export interface DevRun {
  /** The project: where its `vite.config` and `package.json` are. */
  readonly root: string
  /** The program's module, relative to where the command is typed. */
  readonly entry: string
  /** What the program finds in `process.argv` after its own name. */
  readonly args: readonly string[]
  readonly mode?: string | undefined
}

/** Told in place of an error, whose class the caller has and this package has not. */
export type DevRunResult = 'ran' | 'plugin-not-configured'

/**
 * Runs a program from its sources in this process, with workers that load theirs from the same Vite server:
 * there is no build, and an edit of a lifted function is live in its next call. Resolves when the program's
 * module is evaluated; the process then ends when the program has nothing more to do.
 */
export async function runDev({ root, entry, args, mode }: DevRun): Promise<DevRunResult> {
  const vite = await importVite(root)
  const isWatched = process.env['TURBOLIFT_WATCH']
  const server = await vite.createServer({
    root,
    ...(mode === undefined ? {} : { mode }),
    appType: 'custom',
    // Nothing of the server may keep the program from ending, and no port is opened.
    server: { middlewareMode: true, ws: false, watch: null },
    plugins: [createLoadedFilesWatcher()],
    optimizeDeps: { noDiscovery: true, include: [] },
  })
  // No page is shown by this server.
  if (isWatched === undefined) delete process.env['TURBOLIFT_WATCH']
  if (!server.config.plugins.some(({ name }) => name === 'turbolift:dev')) {
    await server.close()
    return 'plugin-not-configured'
  }
  const path = resolve(entry)
  process.argv.splice(1, process.argv.length - 1, path, ...args)
  // The program itself is not run again when it is edited: only its lifted functions are reloaded.
  const runner = vite.createServerModuleRunner(server.environments.ssr, { hmr: false })
  closeAtEnd(server)
  await runner.import(path)
  return 'ran'
}

function closeAtEnd(server: ViteDevServer): void {
  process.once('beforeExit', () => void server.close())
}
