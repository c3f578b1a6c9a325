import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

import type { Plugin } from 'rolldown'

const SUFFIX = '?raw'

/** `import text from './file?raw'`: the file as text, as Vite does it. */
export function rawText(): Plugin {
  return {
    name: 'raw-text',
    resolveId: {
      filter: { id: /\?raw$/ },
      handler: (id, importer) => (importer === undefined ? undefined : resolve(dirname(importer), id)),
    },
    load: {
      filter: { id: /\?raw$/ },
      async handler(id) {
        const text = await readFile(id.slice(0, -SUFFIX.length), 'utf8')
        return { code: `export default ${JSON.stringify(text)}`, moduleType: 'js' }
      },
    },
  }
}
