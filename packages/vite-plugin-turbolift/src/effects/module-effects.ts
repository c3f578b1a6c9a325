import { parseModule } from '../ast.ts'
import type { HostParser, Node, ParsedModule } from '../ast.ts'
import { analyzeScopes } from '../scope.ts'
import type { Binding } from '../scope.ts'
import { divideModule } from '../units.ts'
import type { Unit } from '../units.ts'
import { findUnitEffects } from './unit-effects.ts'
import type { UnitEffects } from './unit-effects.ts'

/** What the top level of a module does to others when it runs. */
export interface ModuleEffects {
  /** What it changes of modules that it imports. */
  readonly changes: readonly ImportChange[]
  /** What it imports for effect alone. */
  readonly bare: readonly string[]
  readonly globals: readonly string[]
  /** The first thing that can be seen outside: a line printed, a server started. */
  readonly seen: string | undefined
  /** It does nothing that a bundler would have to keep when none of its exports is used. */
  readonly isPure: boolean
  /** What its imports are for: of a barrel, to export it again. */
  readonly reExports: ReadonlySet<string>
  readonly otherImports: ReadonlySet<string>
}

export interface ImportChange {
  readonly source: string
  readonly name: string
  /** The statement, as it is compiled. */
  readonly text: string
}

/** Reads a module as it is compiled; `undefined` where it is not JavaScript. */
export function readModuleEffects(code: string, host: HostParser): ModuleEffects | undefined {
  const module = parseOrNothing(code, host)
  if (module === undefined) return undefined
  const scopes = analyzeScopes(module.ast)
  const units = divideModule(module, scopes)
  const effects = findUnitEffects({ module, units, scopes, functions: [] })
  const all = [...effects]
  const sources = new Map(units.flatMap((unit) => importedBy(unit)))
  return {
    changes: all.flatMap(([unit, one]) => importChanges(one, sources, textOf(unit.statement, code))),
    bare: units.flatMap(({ statement, kind }) =>
      kind === 'effect' && statement.type === 'ImportDeclaration' ? [String(statement.source.value)] : [],
    ),
    globals: [...new Set(all.flatMap(([, { globals }]) => globals))],
    seen: all.flatMap(([unit, { reach }]) => (reach === 'seen' ? [textOf(unit.statement, code)] : []))[0],
    isPure: all.every(([, { reach, changes }]) => reach === 'known' && changes.length === 0),
    ...readImports(module),
  }
}

function parseOrNothing(code: string, host: HostParser): ParsedModule | undefined {
  try {
    return parseModule(code, host)
  } catch (error) {
    // What a bundler has of a module need not be JavaScript yet; then nothing is known of it.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function importedBy({ statement, declares }: Unit): (readonly [Binding, string])[] {
  if (statement.type !== 'ImportDeclaration') return []
  return declares.map((binding) => [binding, String(statement.source.value)])
}

/** Statements that can be seen may call methods for other reasons than to set something up. */
function importChanges(
  { changes, writes, touches, reach }: UnitEffects,
  sources: ReadonlyMap<Binding, string>,
  text: string,
): ImportChange[] {
  const groups = reach === 'seen' ? writes : [...changes, ...touches]
  return groups.flatMap((group) =>
    [...group].flatMap((binding) => {
      const source = sources.get(binding)
      return source === undefined ? [] : [{ source, name: binding.name, text }]
    }),
  )
}

function readImports({ ast }: ParsedModule): Pick<ModuleEffects, 'reExports' | 'otherImports'> {
  const reExports = new Set<string>()
  const otherImports = new Set<string>()
  for (const statement of ast.body) {
    if (statement.type === 'ImportDeclaration') otherImports.add(String(statement.source.value))
    else if ('source' in statement && statement.source) reExports.add(String(statement.source.value))
  }
  return { reExports, otherImports }
}

function textOf({ start, end }: Node, code: string): string {
  return code.slice(start, end).split('\n', 1)[0]?.trim() ?? ''
}
