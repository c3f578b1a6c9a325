import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'

import { packageNameOf } from './bundle/native.ts'
import { explain } from './diagnostics.ts'
import { DIRECTIVE_PATTERN, parseDirective } from './directive.ts'
import { cleanId } from './module-id.ts'
import { readPackage } from './package-json.ts'

interface ModuleGraph {
  getModuleIds(): Iterable<string>
  getModuleInfo(id: string): { readonly importedIds?: readonly string[]; readonly code: string | null } | null
}

/** Tells of packages with lifted functions that the program leaves outside, where no directive holds. */
export function directivesOutside(graph: ModuleGraph): readonly string[] {
  const importers = new Map<string, string>()
  for (const id of graph.getModuleIds()) {
    const info = graph.getModuleInfo(id)
    if (info === null || info.code === null) continue
    for (const imported of info.importedIds ?? []) {
      const name = isBuiltin(imported) ? undefined : packageNameOf(imported)
      if (name !== undefined && !importers.has(name)) importers.set(name, id)
    }
  }
  const lifting = [...importers].filter(([name, importer]) => holdsDirective(findFolder(name, cleanId(importer))))
  return lifting.map(([name]) => directiveOutside(name))
}

function findFolder(name: string, importer: string): string | undefined {
  for (let folder = dirname(importer); ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    if (existsSync(join(found, 'package.json'))) return found
    if (folder === dirname(folder)) return undefined
  }
}

/** Whether a file by which the package is imported has a directive; the runtime of Turbolift itself has none. */
function holdsDirective(folder: string | undefined): boolean {
  if (folder === undefined) return false
  const { exports, main, module } = readPackage(folder)
  const paths = new Set([...textsIn(exports), ...textsIn(module), ...textsIn(main ?? 'index.js')])
  return [...paths].filter((path) => /\.[cm]?[jt]sx?$/.test(path)).some((path) => hasDirective(join(folder, path)))
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

function hasDirective(file: string): boolean {
  if (file.endsWith('.d.ts') || !existsSync(file)) return false
  const code = readFileSync(file, 'utf8')
  if (!DIRECTIVE_PATTERN.test(code)) return false
  return [...code.matchAll(/^\s*(['"])(use lift[^'"\n]*)\1;?\s*$/gm)].some(
    ([, , text = '']) => parseDirective(text)?.kind === 'lift',
  )
}

function directiveOutside(name: string): string {
  return explain({
    code: 'DIRECTIVE_OUTSIDE',
    what: `The package "${name}" has lifted functions, and the build leaves it outside of the program.`,
    why: 'Only what is part of the build is lifted; these functions run in the main program.',
    fix: `Make it part of the build: ssr: { noExternal: [${JSON.stringify(name)}] } in Vite, or take it out of "external".`,
  })
}

/** Of rolldown, which takes a platform of browsers for granted where the output is of ES modules. */
export function platformNotNode(platform: unknown): string {
  return explain({
    code: 'PLATFORM_NOT_NODE',
    what: `The program is built for the platform ${platform === undefined ? "of browsers, rolldown's default" : JSON.stringify(platform)}, and its workers for Node.`,
    why: 'Packages may have another variant for each platform, so the two sides would not run the same code.',
    fix: "Set platform: 'node' in the configuration of rolldown.",
  })
}
