/** Stands for code that takes `process.env` as a whole: which variables it reads cannot be told. */
export const ALL_VARIABLES = '*'

const ENVIRONMENT = /\bprocess\s*\??\.\s*env\b/g

/**
 * Names of the environment variables that code reads: `process.env.A`, `process.env['A']`,
 * `const { A, B: b } = process.env`, and the same of an `env` that was imported from `node:process`.
 */
export function readVariables(code: string): readonly string[] {
  if (code.search(ENVIRONMENT) === -1) return []
  const text = blankComments(code)
  const names = new Set<string>()
  for (const { index, 0: match } of text.matchAll(ENVIRONMENT)) {
    const found = nameAfter(text.slice(index + match.length)) ?? namesBefore(text.slice(0, index))
    for (const name of typeof found === 'string' ? [found] : (found ?? [ALL_VARIABLES])) names.add(name)
  }
  return [...names].toSorted()
}

function nameAfter(text: string): string | undefined {
  const match = /^\s*(?:\??\.\s*([\w$]+)|(?:\?\.)?\[\s*(['"`])([^'"`]+)\2\s*\])/.exec(text)
  return match?.[1] ?? match?.[3]
}

/** `const { A, B: b = 1 } =` in front of it. */
function namesBefore(text: string): readonly string[] | undefined {
  const pattern = /\{([^{}]*)\}\s*=\s*$/.exec(text)?.[1]
  if (pattern === undefined || pattern.includes('...')) return undefined
  return pattern.split(',').flatMap((part) => /^\s*['"]?([\w$]+)/.exec(part)?.[1] ?? [])
}

/** Comments become spaces; strings and templates, which may hold the marks of a comment, are skipped. */
function blankComments(source: string): string {
  const token = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
  return source.replace(token, (text) => (/^\/[/*]/.test(text) ? text.replace(/[^\n]/g, ' ') : text))
}
