import { fileURLToPath, pathToFileURL } from 'node:url'

import type { LiftManifest } from 'turbolift/manifest'

import { createManifest } from '../embed.ts'
import type { ResolvedOptions } from '../options.ts'
import type { DevServer } from './functions.ts'

export interface DevManifestInput {
  readonly program: string
  readonly options: ResolvedOptions
  readonly server: DevServer
}

/**
 * The manifest of a dev server: the same worker program as in a build, with a `functions.js` that fetches lifted
 * functions from the server in place of chunks.
 */
export async function createDevManifest({ program, options, server }: DevManifestInput): Promise<LiftManifest> {
  const loader = pathToFileURL(fileURLToPath(import.meta.resolve('vite-plugin-turbolift/dev-functions.js'))).href
  const content = [
    `import { createLoader } from ${JSON.stringify(loader)}`,
    `export const loadFunction = createLoader(${JSON.stringify(server)})`,
    '',
  ].join('\n')
  const files = [{ path: 'functions.js', content }]
  return {
    ...(await createManifest({ program, options, root: server.root, modules: [], externals: new Map(), files })),
    isDev: true,
  }
}
