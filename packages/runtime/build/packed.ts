import { basename } from 'node:path'
import { gzipSync } from 'node:zlib'

import { rolldown } from 'rolldown'
import type { Plugin } from 'rolldown'

/**
 * Keeps a module, with all that it imports, as compressed text that is compiled when the module is asked for, by
 * `await import(…)`. For what few programs run and every program carries: a bundler then reads a string, and not 0.4 MB
 * of other people's code. No such import is left: a bundler that makes one file of all would put the module behind the
 * program's own, which may be waiting for it at its top level.
 * @param path matches the module, and what it is imported by
 * @param plugins for what it imports
 */
export function packed(path: RegExp, plugins: readonly Plugin[]): Plugin {
  return {
    name: 'packed',
    transform(code) {
      const [expression, source] = /\bimport\('([^']+)'\)/.exec(code) ?? []
      if (expression === undefined || source === undefined || !path.test(source)) return null
      return `import { load as loadPacked } from '${source}'\n${code.replace(expression, 'loadPacked()')}`
    },
    load: {
      filter: { id: path },
      async handler(id) {
        const { code, licenses } = await bundle(id, plugins)
        this.emitFile({ type: 'asset', fileName: `licenses-${basename(id, '.ts')}.txt`, source: licenses })
        return { code: toModule(`${basename(id, '.ts')}.cjs`, code), moduleType: 'js' }
      },
    },
  }
}

async function bundle(input: string, plugins: readonly Plugin[]) {
  const build = await rolldown({ input, platform: 'node', plugins: [...plugins] })
  const minify = { compress: false, mangle: false, codegen: true }
  const { output } = await build.generate({ format: 'cjs', codeSplitting: false, minify, comments: false })
  await build.close()
  const licenses = output.find((item) => item.fileName === 'licenses.txt')
  if (licenses?.type !== 'asset') throw new Error(`${input} has no licences: it imports no packages.`)
  return { ...output[0], licenses: licenses.source }
}

function toModule(name: string, code: string): string {
  const text = gzipSync(code, { level: 9 }).toString('base64')
  return `import { createRequire } from 'node:module'
import { compileFunction } from 'node:vm'
import { gunzipSync } from 'node:zlib'
const text = '${text}'
let module
export function load() {
  if (module !== undefined) return module.exports
  module = { exports: {} }
  const code = gunzipSync(Buffer.from(text, 'base64')).toString()
  const run = compileFunction(code, ['module', 'exports', 'require'], { filename: 'turbolift/${name}' })
  run(module, module.exports, createRequire(import.meta.url))
  return module.exports
}
`
}
