import type { Plugin } from 'rolldown'

/**
 * The Kubernetes client library is used for kubeconfig and credentials alone, but its `config.js` imports the classes
 * of every API (1 MB) and node-fetch with its tables for host names (0.4 MB), and `ws` tries two native packages.
 * They are left out of what users put into their programs.
 */
export function slimClient(): Plugin {
  return {
    name: 'slim-client',
    resolveId(id, importer) {
      const isConfig = importer !== undefined && /client-node[\\/]dist[\\/]config\.js$/.test(importer)
      if (isConfig && id === './gen/index.js') return '\0api-classes'
      if (id === 'node-fetch') return '\0node-fetch'
      return id === 'bufferutil' || id === 'utf-8-validate' ? '\0absent.cjs' : undefined
    },
    load: (id) => stubs[id],
  }
}

const stubs: Readonly<Record<string, string>> = {
  '\0api-classes': `
    const absent = () => { throw new Error('The API classes are not part of this bundle.') }
    export const createConfiguration = absent
    export const ServerConfiguration = absent`,
  '\0node-fetch': 'export const Headers = globalThis.Headers; export default globalThis.fetch',
  '\0absent.cjs': "module.exports = undefined; throw new Error('Not part of this bundle.')",
}
