import { existsSync, watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

import type { Plugin } from 'vite'

import { cleanId } from '../module-id.ts'

/** Editors write a file in several steps; what is read between them is not a module. */
const SETTLE_MS = 10

/**
 * Watches the files that are loaded, and no others, without keeping the process alive as Vite's own watcher does.
 * Vite's is to be off: `server.watch: null`.
 */
export function createLoadedFilesWatcher(): Plugin {
  const loaded = new LoadedFiles()
  return {
    name: 'turbolift:watch-loaded',
    configureServer({ watcher }) {
      loaded.onChange = (file) => watcher.emit(existsSync(file) ? 'change' : 'unlink', file)
    },
    transform(_, id) {
      loaded.add(normalize(cleanId(id)))
    },
    buildEnd: () => loaded.close(),
  }
}

class LoadedFiles {
  readonly #files: Set<string> = new Set()
  readonly #folders: Map<string, FSWatcher> = new Map()
  readonly #unsettled: Map<string, NodeJS.Timeout> = new Map()
  onChange: (file: string) => void = () => undefined

  add(file: string): void {
    const folder = dirname(file)
    if (!existsSync(file)) return
    this.#files.add(file)
    if (this.#folders.has(folder)) return
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      if (name !== null) this.#notice(join(folder, name))
    })
    // A folder that is removed is watched no longer.
    this.#folders.set(
      folder,
      watcher.on('error', () => this.#folders.delete(folder)),
    )
  }

  close(): void {
    for (const watcher of this.#folders.values()) watcher.close()
  }

  #notice(file: string): void {
    if (!this.#files.has(file)) return
    clearTimeout(this.#unsettled.get(file))
    this.#unsettled.set(file, setTimeout(() => this.#settle(file), SETTLE_MS).unref())
  }

  #settle(file: string): void {
    this.#unsettled.delete(file)
    this.onChange(file)
  }
}
