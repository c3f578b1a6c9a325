import { createHash } from 'node:crypto'
import { basename } from 'node:path'

import type { WorkerFile } from './bundle/output.ts'

/** `"src/main.ts#square": () => import("./chunks/main-BqBUUqUv.js")`, minified or not. */
const ENTRY = /("(?:[^"\\]|\\.)*"): ?\(\) ?=> ?import\(["'`]\.\/([^"'`]+)["'`]\)/g

/**
 * SHA-256 of the chunk of each lifted function, by lift id. A chunk names what it imports by file names with hashes of
 * their content, so it is another one whenever anything changes that the function may run. What stays outside is told by
 * `findPackages`. An id is missing when the bundler wrote its chunk in another way; then the hash of all files has to do.
 */
export function hashFunctions(files: readonly WorkerFile[]): ReadonlyMap<string, string> {
  return ofChunks(files, (chunk) => createHash('sha256').update(chunk.content).digest('hex'))
}

/**
 * The packages outside of the chunks that each lifted function may load, by lift id: those that its chunk, or one that it
 * leads to, names in a text. One too many costs results that could have been kept; one too few gives wrong ones.
 */
export function findPackages(
  files: readonly WorkerFile[],
  externals: Iterable<string>,
): ReadonlyMap<string, readonly string[]> {
  const names = [...externals].toSorted()
  const scripts = files.filter(({ path }) => path.endsWith('.js') && path !== 'functions.js')
  return ofChunks(files, (chunk) => {
    const texts = reach(chunk, scripts).map(({ content }) => String(content))
    return names.filter((name) => texts.some((text) => namesPackage(text, name)))
  })
}

/** All scripts that a chunk leads to, itself included. */
function reach(chunk: WorkerFile, scripts: readonly WorkerFile[]): readonly WorkerFile[] {
  const reached = new Set([chunk])
  for (const { content } of reached) {
    for (const script of scripts) if (String(content).includes(basename(script.path))) reached.add(script)
  }
  return [...reached]
}

function namesPackage(text: string, name: string): boolean {
  return ['"', "'", '`'].some((quote) => text.includes(quote + name + quote) || text.includes(`${quote}${name}/`))
}

/** What `read` finds in the chunk of each lifted function. */
function ofChunks<Found>(files: readonly WorkerFile[], read: (chunk: WorkerFile) => Found): ReadonlyMap<string, Found> {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const known = new Map<WorkerFile, Found>()
  const found = new Map<string, Found>()
  for (const [, id = '', path = ''] of String(byPath.get('functions.js')?.content).matchAll(ENTRY)) {
    const chunk = byPath.get(path)
    if (chunk === undefined) continue
    if (!known.has(chunk)) known.set(chunk, read(chunk))
    const value = known.get(chunk)
    if (value !== undefined) found.set(parseText(id), value)
  }
  return found
}

function parseText(literal: string): string {
  return String(JSON.parse(literal))
}
