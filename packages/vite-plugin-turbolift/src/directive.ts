/** What a directive says. */
export type Directive =
  | { readonly kind: 'lift'; readonly pool: string | undefined }
  | { readonly kind: 'misspelt'; readonly pool: undefined; readonly text: string }

/**
 * Sources without this text have nothing to do with lifting, but for a name like `*.lift.ts`. It has room for all that
 * `parseDirective` tells as misspelt, and little more: sentences that begin so are not worth a parse.
 */
export const DIRECTIVE_PATTERN: RegExp =
  /(['"])\s*use[a-z]?[^\w'"\n]{0,3}(?:lift[^'"\n]{0,60}|[lfit][^'"\n:]{0,6}(?::[^'"\n]*)?)\1/i

/** Modules that are lifted by their name: `*.lift.ts`, and the other endings of modules. */
export const LIFT_MODULE: RegExp = /\.lift\.[cm]?[jt]sx?(?:$|\?)/

export function isLiftModuleName(id: string): boolean {
  return LIFT_MODULE.test(id)
}

/** Whether a module may have lifted functions or misspelt directives; the others are not parsed. */
export function mayHoldLifted(code: string, id: string): boolean {
  return DIRECTIVE_PATTERN.test(code) || isLiftModuleName(id)
}

/** Reads the text of a directive; `undefined` for those of others (`use strict`, `use client`). */
export function parseDirective(text: string): Directive | undefined {
  const [, pool] = /^use lift(?:: ?([\w-]+))?$/.exec(text) ?? []
  if (pool !== undefined || text === 'use lift') return { kind: 'lift', pool }
  return isNear(text) && !KNOWN_DIRECTIVES.has(text) ? { kind: 'misspelt', pool: undefined, text } : undefined
}

/** Near by its letters, whatever stands between them, or with more words behind. */
function isNear(text: string): boolean {
  const letters = text
    .replace(/:.*$/s, '')
    .toLowerCase()
    .replaceAll(/[^a-z]/g, '')
  return /^\s*use/i.test(text) && (letters.startsWith(WANTED) || distance(letters, WANTED) <= 2)
}

const WANTED = 'uselift'

/** Other people's directives that are near by spelling. */
const KNOWN_DIRECTIVES = new Set(['use list', 'use live', 'use lint', 'use left'])

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
function distance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity
  for (let row = 1; row <= from.length; row += 1) {
    rows[row] = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1]
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const swapped = isSwap ? at(row - 2, column - 2) + 1 : Infinity
      const best = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        swapped,
      )
      rows[row]?.push(best)
    }
  }
  return at(from.length, to.length)
}
