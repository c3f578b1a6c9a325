import { MagicString } from 'magic-string'

import { positioned, visit } from './ast.ts'
import type { Node } from './ast.ts'
import { hashbangEnd, keepOnly, removeLine } from './edit.ts'
import type { EditInput } from './edit.ts'
import { chooseProxyNames, toProxy, toProxyImports, unusedName } from './proxy.ts'
import type { ProxyNames } from './proxy.ts'
import type { LiftedFunction } from './lifted-function.ts'
import type { Edited } from './split.ts'

/** The main program's side of a module. */
export function editMain(input: EditInput): Edited {
  const { module, scan, units, slices } = input
  const text = new MagicString(module.code, { filename: input.path })
  const names = chooseProxyNames(module.code)
  const isInFunction = (range: { readonly start: number }): boolean =>
    scan.functions.some(({ node }) => range.start >= node.start && range.start < node.end)
  for (const directive of scan.directives) if (!isInFunction(directive)) removeLine(text, directive)
  const hoisted = scan.functions.flatMap((fn) => replaceFunction(text, fn, { input, names }))
  const removable = units.filter(
    (unit) => !scan.functions.some(({ node, form }) => node === unit.node && form.kind === 'declaration'),
  )
  keepOnly(text, removable, slices.main)
  text.appendLeft(hashbangEnd(module.code), toProxyImports(names) + hoisted.join(''))
  return {
    code: text.toString(),
    map: text.generateMap({ hires: 'boundary', includeContent: true, source: input.path }),
  }
}

interface Replacing {
  readonly input: EditInput
  readonly names: ProxyNames
}

/** Puts the proxy where the function stands; what must be hoisted as the function was is returned. */
function replaceFunction(text: MagicString, fn: LiftedFunction, { input, names }: Replacing): string[] {
  const proxy = toProxy(fn, `${input.path}#${fn.path}`, names)
  const { form, node } = fn
  if (form.kind === 'method') {
    const prefix =
      form.member.type === 'Property' ? `${JSON.stringify(form.key)}: ` : `static ${JSON.stringify(form.key)} = `
    text.overwrite(form.member.start, form.member.end, prefix + proxy + (form.member.type === 'Property' ? '' : ';'))
    return []
  }
  if (form.kind === 'expression') {
    text.overwrite(node.start, node.end, proxy)
    return []
  }
  const statement = input.units.find((unit) => unit.node === node)?.statement
  if (statement === undefined) {
    hoistInBlock(text, fn, { input, proxy })
    return []
  }
  removeLine(text, statement)
  const unit = input.units.find((one) => one.node === node)
  if (unit === undefined || !input.slices.main.has(unit)) return []
  return [toHoisted(fn, proxy, input)]
}

function toHoisted({ name, topLevelName, form }: LiftedFunction, proxy: string, { module }: EditInput): string {
  const exported = form.kind === 'declaration' ? form.exported : 'no'
  if (exported !== 'default') return `${exported === 'named' ? 'export ' : ''}const ${name} = ${proxy};\n`
  const local = topLevelName ?? unusedName('$default', module.code)
  return `const ${local} = ${proxy};\nexport { ${local} as default };\n`
}

/** A nested declaration is hoisted to the start of its block, where a `const` can be used as early. */
function hoistInBlock(
  text: MagicString,
  { node, name }: LiftedFunction,
  { input, proxy }: { readonly input: EditInput; readonly proxy: string },
): void {
  text.remove(node.start, node.end)
  text.appendRight(blockStart(input, node), `const ${name} = ${proxy};`)
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
