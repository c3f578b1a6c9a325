import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, parse, resolve } from 'node:path'

import { MagicString } from 'magic-string'

import { cleanId } from '../module-id.ts'

/** `new URL('./data.bin', import.meta.url)`: a file beside the module. */
const FILE_URL = /new URL\(\s*(['"`])(\.{1,2}\/[^'"`$]+)\1\s*,\s*import\.meta\.url\s*,?\s*\)/g

interface FilesContext {
  emitFile(file: { readonly type: 'asset'; readonly fileName: string; readonly source: Uint8Array }): string
  addWatchFile(path: string): void
}

export interface FilesPlugin {
  readonly name: string
  readonly transform: {
    readonly filter: { readonly code: string }
    handler(this: FilesContext, code: string, id: string): { code: string; map: { mappings: string } } | null
  }
}

/**
 * Takes files along that modules of workers name relative to themselves. The host bundlers do so for browsers only,
 * since a program of Node finds its files where they are; a worker does not.
 */
export function createFilesPlugin(): FilesPlugin {
  return {
    name: 'turbolift:files',
    transform: {
      filter: { code: 'import.meta.url' },
      handler(code, id) {
        if (!code.includes('import.meta.url')) return null
        const text = new MagicString(code)
        for (const { 0: whole, 2: path = '', index } of code.matchAll(FILE_URL)) {
          const file = resolve(dirname(cleanId(id)), path)
          if (!existsSync(file)) continue
          this.addWatchFile(file)
          const source = readFileSync(file)
          const fileName = toFileName(file, source)
          this.emitFile({ type: 'asset', fileName, source })
          // All modules of workers are in `chunks/`.
          text.overwrite(index, index + whole.length, `new URL(${JSON.stringify(`../${fileName}`)}, import.meta.url)`)
        }
        return text.hasChanged() ? { code: text.toString(), map: text.generateMap({ hires: 'boundary' }) } : null
      },
    },
  }
}

function toFileName(file: string, source: Uint8Array): string {
  const { name, ext } = parse(file)
  return `assets/${name}-${createHash('sha256').update(source).digest('hex').slice(0, 8)}${ext}`
}
