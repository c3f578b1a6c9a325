import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import type { ConfigInput } from '../src/config.ts'
import { packArchive } from '../src/deliver/archive.ts'
import { hashFiles, type LiftManifest, MANIFEST_VERSION } from '../src/manifest.ts'

/** A built program, as far as its manifest goes. */
export interface TestBundle extends Disposable {
  readonly path: string
  readonly manifest: LiftManifest
}

export function writeBundle(options: ConfigInput = {}): TestBundle {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-bundle-'))
  const files = [{ name: 'worker.js', data: Buffer.from("console.log('worker')\n") }]
  const manifest: LiftManifest = {
    version: MANIFEST_VERSION,
    program: 'planned',
    hash: hashFiles(files),
    functions: {
      'src/main.ts#square': { name: 'square', pool: 'default', kind: 'call' },
      'src/main.ts#render': { name: 'render', pool: 'big', kind: 'call' },
    },
    options,
    externals: [],
    files: gzipSync(packArchive(files)).toString('base64'),
  }
  const path = join(folder, 'main.js')
  // The text before it has brackets and quotes that are none.
  writeFileSync(path, `const a = { b: "}" } // it's\nconst manifest = ${JSON.stringify(manifest)};\nrun(manifest)\n`)
  return { path, manifest, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}
