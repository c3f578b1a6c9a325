import { packageNameOf } from './native.ts'

/** Whether a configuration leaves an import outside of the program. */
export type IsOutside = (source: string, importer: string | undefined) => boolean

/** Reads an `external` of Rollup, rolldown or Vite: texts, patterns and functions, alone or in a list. */
export function toIsOutside(external: unknown): IsOutside {
  if (Array.isArray(external)) {
    const all = external.map(toIsOutside)
    return (source, importer) => all.some((isOutside) => isOutside(source, importer))
  }
  if (typeof external === 'function') return (source, importer) => external(source, importer, false) === true
  if (external instanceof RegExp) return (source) => source.search(external) !== -1
  if (typeof external !== 'string') return () => false
  return (source) => source === external
}

/** Packages by their names, with all that is imported from inside of them. */
export function toIsPackageOutside(names: Iterable<string>): IsOutside {
  const known = new Set(names)
  return (source) => known.has(packageNameOf(source) ?? '')
}
