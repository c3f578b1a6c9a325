import { existsSync, watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

import type { Plugin, ViteDevServer } from 'vite'

import { cleanId } from '../registry.ts'

/** Editors write a file in several steps; what is read between them is not a module. */
const SETTLE_MS = 10

/**
 * Watches the files that are loaded, and no others, without keeping the process alive as Vite's own watcher does.
 * Vite's is to be off: `server.watch: null`.
 */
export function createLoadedFilesWatcher(): Plugin {
  const files = new Set<string>()
  const folders = new Map<string, FSWatcher>()
  const pending = new Map<string, NodeJS.Timeout>()
  let server: ViteDevServer | undefined
  const tell = (file: string): void => {
    pending.delete(file)
    server?.watcher.emit(existsSync(file) ? 'change' : 'unlink', file)
  }
  const notice = (file: string): void => {
    if (!files.has(file)) return
    clearTimeout(pending.get(file))
    pending.set(file, setTimeout(tell, SETTLE_MS, file).unref())
  }
  return {
    name: 'turbolift:watch-loaded',
    configureServer(started) {
      server = started
    },
    transform(_, id) {
      const file = normalize(cleanId(id))
      const folder = dirname(file)
      if (!existsSync(file)) return
      files.add(file)
      if (folders.has(folder)) return
      const watcher = watch(
        folder,
        { persistent: false },
        (_event, name) => name !== null && notice(join(folder, name)),
      )
      // A folder that is removed is watched no longer.
      folders.set(
        folder,
        watcher.on('error', () => folders.delete(folder)),
      )
    },
    buildEnd() {
      for (const watcher of folders.values()) watcher.close()
    },
  }
}
