import { MagicString } from 'magic-string'
import { toLiftId } from 'turbolift/manifest'

import { positioned, visit } from './ast.ts'
import type { Node, TextRange } from './ast.ts'
import { keepOnly, prologueEnd, removeDirectives } from './edit.ts'
import type { EditInput } from './edit.ts'
import { startOfClass } from './own-class.ts'
import { chooseProxyNames, toHoisted, toKey, toProxy, toProxyImports, unusedName } from './proxy.ts'
import type { ProxyNames } from './proxy.ts'
import type { LiftedFunction } from './lifted-function.ts'
import type { Edited } from './split.ts'

/** The main program's side of a module. */
export function editMain(input: EditInput): Edited {
  const { module, scan, units, slices } = input
  const text = new MagicString(module.code, { filename: input.path })
  const names = chooseProxyNames(module.code)
  const isInFunction = (range: TextRange): boolean =>
    scan.functions.some(({ node }) => range.start >= node.start && range.start < node.end)
  const outside = scan.directives.filter((directive) => !isInFunction(directive))
  removeDirectives(text, outside)
  const proxies = scan.functions.flatMap((fn, index) => {
    const variable = unusedName(`$lifted${index}`, module.code)
    return replaceFunction(text, fn, { input, names, variable }) ?? []
  })
  keepOnly(text, units, slices.main)
  const start = prologueEnd(module, scan.directives)
  const isBehindDirective = start > 0 && module.code[start - 1] !== '\n'
  text.appendLeft(start, `${isBehindDirective ? '\n' : ''}${toProxyImports(names)}${proxies.join('')}`)
  return {
    code: text.toString(),
    map: text.generateMap({ hires: 'boundary', includeContent: true, source: input.path }),
  }
}

interface Replacing {
  readonly input: EditInput
  readonly names: ProxyNames
  /** Not used in the module. */
  readonly variable: string
}

/** Puts the proxy where the function stands; what has to stand at the top of the module is returned. */
function replaceFunction(text: MagicString, fn: LiftedFunction, replacing: Replacing): string | undefined {
  const { input, names } = replacing
  const { form, node } = fn
  if (form.kind === 'declaration') return replaceDeclaration(text, fn, replacing)
  const id = toLiftId({ module: input.path, path: fn.path })
  const proxy = toProxy(fn, { id, names, declared: undefined })
  if (form.kind === 'expression') text.overwrite(node.start, node.end, form.endsStatement ? `${proxy};` : proxy)
  else if (form.member.type === 'Property')
    text.overwrite(form.member.start, form.member.end, `${toKey(form.key)}: ${proxy}`)
  else replaceStatic(text, fn, { input, proxy })
  return undefined
}

/**
 * A static method stays one, in its place among the others, and gets its value before all that the class runs:
 *
 *     class Api { static { Object.defineProperty(this, "hello", { value: $lift(…) }); } static async hello($0) {} }
 */
function replaceStatic(
  text: MagicString,
  { form, node, kind, length }: LiftedFunction,
  { input, proxy }: { readonly input: EditInput; readonly proxy: string },
): void {
  if (form.kind !== 'method') return
  const key = JSON.stringify(form.key)
  const params = Array.from({ length }, (_, index) => `$${index}`).join(', ')
  text.overwrite(form.member.start, form.member.end, `static async ${kind === 'stream' ? '*' : ''}${key}(${params}) {}`)
  visit(input.module.ast, (inner, parents) => {
    const owner = parents.at(-3)
    if (inner !== node || (owner?.type !== 'ClassDeclaration' && owner?.type !== 'ClassExpression')) return
    text.appendLeft(startOfClass(owner), ` static { Object.defineProperty(this, ${key}, { value: ${proxy} }); }`)
  })
}

/**
 * A declaration stays one, since it can be used before its statement, in an import cycle before its module has run:
 *
 *     function $lifted0$make() { return $lift($manifest, { … }, undefined, work); }
 *     var $lifted0 = $lifted0$make();
 *     async function work($0) { return await ($lifted0 ??= $lifted0$make())(...arguments); }
 *
 * One inside of a function or block has all of it there.
 */
function replaceDeclaration(
  text: MagicString,
  fn: LiftedFunction,
  { input, names, variable }: Replacing,
): string | undefined {
  const { node } = fn
  const unit = input.units.find((one) => one.node === node)
  const isAnonymous = node.type !== 'FunctionDeclaration' || !node.id
  const declared = isAnonymous ? unusedName('$default', input.module.code) : fn.name
  const id = toLiftId({ module: input.path, path: fn.path })
  const proxy = toProxy(fn, { id, names, declared })
  if (unit === undefined) {
    text.overwrite(node.start, node.end, toHoisted(fn, declared, variable))
    text.appendLeft(blockStart(input, node), `const ${variable} = ${proxy};`)
    return undefined
  }
  const make = `${variable}$make`
  text.overwrite(node.start, node.end, toHoisted(fn, declared, `(${variable} ??= ${make}())`))
  if (!input.slices.main.has(unit)) return undefined
  return `function ${make}() { return ${proxy}; }\nvar ${variable} = /*@__PURE__*/ ${make}();\n`
}

function blockStart({ module }: EditInput, node: Node): number {
  let start = node.start
  visit(module.ast, (inner, parents) => {
    if (inner !== node) return
    const block = parents.at(-1)
    const body = block?.type === 'BlockStatement' || block?.type === 'StaticBlock' ? block.body : []
    const first = body.map(positioned).find((statement) => !('directive' in statement))
    start = first?.start ?? node.start
  })
  return start
}
