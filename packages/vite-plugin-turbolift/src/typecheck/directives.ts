import type { TextRange } from '../ast.ts'

const trivia = String.raw`(?:\s|//[^\n]*\n|/\*[\s\S]*?\*/)*`
const otherDirective = String.raw`(?:'[^'\n]*'|"[^"\n]*")${trivia};?${trivia}`
const directive = String.raw`(?<directive>'use lift(?::[^'\n]*)?'|"use lift(?::[^"\n]*)?")`
const bodyStart = new RegExp(String.raw`\{${trivia}(?:${otherDirective})*?${directive}(?!${trivia}:)`, 'dg')

/**
 * The `'use lift'` directives of functions in a TypeScript source, in order. By text, since the checked
 * TypeScript may be one that no parser at hand reads; commented ones are not counted.
 */
export function findDirectives(source: string): readonly TextRange[] {
  return [...blankComments(source).matchAll(bodyStart)].flatMap((match) => {
    const [start, end] = match.indices?.groups?.['directive'] ?? []
    return start === undefined || end === undefined ? [] : [{ start, end }]
  })
}

/** Comments become spaces; strings and templates, which may hold the marks of a comment, are skipped. */
export function blankComments(source: string): string {
  const token = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
  return source.replace(token, (text) => (/^\/[/*]/.test(text) ? text.replace(/[^\n]/g, ' ') : text))
}
