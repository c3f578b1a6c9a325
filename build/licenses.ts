import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

import type { Plugin } from 'rolldown'

/** Writes `licenses.txt`: the licence of each package whose code is in the bundle. */
export function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((output) => output.type === 'chunk')
      const modules = chunks.flatMap((chunk) => Object.entries(chunk.modules))
      const used = modules.filter(([id, { renderedLength }]) => renderedLength > 0 && id.includes('node_modules'))
      const folders = new Set(used.map(([id]) => findPackage(id)))
      if (folders.size === 0) return
      this.emitFile({
        type: 'asset',
        fileName: 'licenses.txt',
        source: [...folders].toSorted().map(toText).join('\n\n'),
      })
    },
  }
}

function findPackage(id: string): string {
  let folder = dirname(id)
  while (!existsSync(join(folder, 'package.json')) || !('version' in parse(folder))) folder = dirname(folder)
  return folder
}

function toText(folder: string): string {
  const { name, version, license } = parse(folder)
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8')
  return `${String(name)} ${String(version)} (${String(license)})\n\n${text}`
}

function parse(folder: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
