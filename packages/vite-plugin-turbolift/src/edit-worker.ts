import { Bundle, MagicString } from 'magic-string'

import { positioned } from './ast.ts'
import type { Node } from './ast.ts'
import { hashbangEnd, keepOnly, removeDirectives } from './edit.ts'
import type { EditInput } from './edit.ts'
import { toKey, unusedName } from './proxy.ts'
import type { LiftedFunction } from './lifted-function.ts'
import type { Edited } from './split.ts'

/** The worker's side of a module. */
export function editWorker(input: EditInput): Edited {
  const { module, scan, units, slices } = input
  const original = new MagicString(module.code, { filename: input.path })
  removeDirectives(original, scan.directives)
  original.remove(0, hashbangEnd(module.code))
  const taken = scan.functions.map((fn, index) => ({ fn, name: unusedName(`$lift${index}`, module.code) }))
  const bundle = new Bundle({ separator: '\n' })
  const slice = original.clone()
  const names = new Map<LiftedFunction, string>()
  if (!input.keepsExports) removeExports(slice, input)
  nameDefaultExport(slice, input, names)
  keepOnly(slice, units, slices.worker)
  bundle.addSource({ filename: input.path, content: slice })
  for (const { fn, name } of taken) {
    if (names.has(fn)) continue
    if (fn.ownClass !== undefined) names.set(fn, `${fn.ownClass}[${JSON.stringify(fn.name)}]`)
    else if (fn.topLevelName === undefined) {
      names.set(fn, name)
      const isAtTop = units.some(({ node }) => node === fn.node)
      const content = isAtTop ? takeOutAssigned(original, fn, name) : takeOut(original, fn, name)
      bundle.addSource({ filename: input.path, content })
    } else names.set(fn, fn.topLevelName)
  }
  const table = scan.functions.map((fn) => `  ${toKey(fn.path)}: ${names.get(fn) ?? fn.name},\n`)
  bundle.append(`\nexport const ${input.liftedExport} = {\n${table.join('')}};\n`)
  return {
    code: bundle.toString(),
    map: bundle.generateMap({ hires: 'boundary', includeContent: true, source: input.path }),
  }
}

/** A nested function as a statement of its own; with captures, as a function that takes them and returns it. */
function takeOut(original: MagicString, fn: LiftedFunction, name: string): MagicString {
  const { form } = fn
  const range: Node = form.kind === 'method' ? form.member : fn.node
  const text = original.snip(range.start, range.end)
  const captures = fn.captures.length === 0 ? '' : `(${fn.captures.map((binding) => binding.name).join(', ')}) => `
  if (fn.ownVariable !== undefined) {
    // It calls itself by the name of the variable that it was assigned to.
    const [open, close] = captures === '' ? ['(() => ', ')()'] : [captures, '']
    return text
      .prepend(`const ${name} = ${open}{ const ${fn.ownVariable} = `)
      .append(`; return ${fn.ownVariable}; }${close};`)
  }
  if (form.kind !== 'method') return text.prepend(`const ${name} = ${captures}(`).append(');')
  const [open, close] = form.member.type === 'Property' ? ['{ ', ' }'] : ['class { ', ' }']
  return text.prepend(`const ${name} = ${captures}(${open}`).append(`${close})[${JSON.stringify(form.key)}];`)
}

/** A declaration whose name is assigned later: inside of it, that name stands for what the module has by then. */
function takeOutAssigned(original: MagicString, { node, name: own }: LiftedFunction, name: string): MagicString {
  const text = original.snip(node.start, node.end)
  if (node.type === 'FunctionDeclaration') text.remove(positioned(node.id).start, positioned(node.id).end)
  const key = JSON.stringify(own)
  return text.prepend(`const ${name} = { [${key}]: `).append(` }[${key}];`)
}

function removeExports(text: MagicString, { units }: EditInput): void {
  for (const { statement, node } of units) {
    if (statement.type === 'ExportNamedDeclaration' && statement.declaration) {
      text.remove(
        statement.start,
        statement.declaration.type === 'VariableDeclaration' ? startOfList(statement, text.original) : node.start,
      )
    }
  }
}

function startOfList(statement: Node, code: string): number {
  return statement.start + (/^export\s+/.exec(code.slice(statement.start))?.[0].length ?? 0)
}

/** `export default async () => …` gets a name, by which the table finds it. */
function nameDefaultExport(text: MagicString, input: EditInput, names: Map<LiftedFunction, string>): void {
  for (const unit of input.units) {
    const { statement, node } = unit
    if (statement.type !== 'ExportDefaultDeclaration' || !input.slices.worker.has(unit)) continue
    const name = unusedName('$default', input.module.code)
    const fn = input.scan.functions.find((one) => one.node === node)
    const isNamed = (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') && node.id
    if (isNamed) {
      if (!input.keepsExports) text.remove(statement.start, node.start)
      continue
    }
    if (fn !== undefined) names.set(fn, name)
    text.overwrite(statement.start, node.start, `const ${name} = `)
    // A declaration needs no semicolon, and what is assigned does.
    if (input.module.code[statement.end - 1] !== ';') text.appendLeft(statement.end, ';')
    if (input.keepsExports) text.appendLeft(statement.end, `\nexport { ${name} as default };\n`)
  }
}
