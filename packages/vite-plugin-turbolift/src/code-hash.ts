import { createHash } from 'node:crypto'

import type { WorkerFile } from './bundle/output.ts'

/** `"src/main.ts#square": () => import("./chunks/main-BqBUUqUv.js")`, minified or not. */
const ENTRY = /("(?:[^"\\]|\\.)*"): ?\(\) ?=> ?import\(["'`]\.\/([^"'`]+)["'`]\)/g

/**
 * SHA-256 of the chunk of each lifted function, by lift id. A chunk names what it imports by file names with hashes of
 * their content, so it is another one whenever anything changes that the function may run. Packages with native code
 * are outside. An id is missing when the bundler wrote its chunk in another way; then the hash of all files has to do.
 */
export function hashFunctions(files: readonly WorkerFile[]): ReadonlyMap<string, string> {
  const byPath = new Map(files.map(({ path, content }) => [path, content]))
  const hashOf = new Map<string, string>()
  const hashes = new Map<string, string>()
  for (const [, id = '', path = ''] of String(byPath.get('functions.js')).matchAll(ENTRY)) {
    const chunk = byPath.get(path)
    if (chunk === undefined) continue
    const hash = hashOf.get(path) ?? createHash('sha256').update(chunk).digest('hex')
    hashOf.set(path, hash)
    hashes.set(parseText(id), hash)
  }
  return hashes
}

function parseText(literal: string): string {
  return String(JSON.parse(literal))
}
