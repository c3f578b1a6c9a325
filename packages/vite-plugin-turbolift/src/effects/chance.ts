import type { Node as EstreeNode } from 'estree'

import type { Roots } from './roots.ts'

const FUNCTIONS =
  /^(?:random(?:UUID|Bytes|Int|FillSync)|getRandomValues|nanoid|customAlphabet|uuid(?:v\d)?|v[1467]|ulid|cuid2?|createId|prompt|createInterface|hrtime)$/
const MEMBERS = new Map([
  ['Date', /^now$/],
  ['Math', /^random$/],
  ['performance', /^(?:now|timeOrigin)$/],
  ['crypto', FUNCTIONS],
  ['process', /^(?:stdin|hrtime)$/],
])
/** How programs read all of their standard input at once. */
const STANDARD_INPUT = new Set<unknown>([0, '/dev/stdin'])

/** Whether an expression yields another value in another process: chance, the clock, what the program is fed. */
export function isChance(node: EstreeNode, roots: Roots): boolean {
  switch (node.type) {
    case 'NewExpression':
      return isGlobal(node.callee, 'Date', roots) && node.arguments.length === 0
    case 'CallExpression':
      return isCallOfChance(node, roots)
    case 'MemberExpression':
      return isMemberOfChance(node, roots)
    case 'BinaryExpression':
      // Whether a module is the one that was started.
      return isOwnAddress(node.left) || isOwnAddress(node.right)
    default:
      return false
  }
}

function isCallOfChance({ callee, arguments: values }: EstreeNode & { type: 'CallExpression' }, roots: Roots): boolean {
  const [first] = values
  const name = nameOf(callee)
  if (/^readFile(?:Sync)?$/.test(name)) return first?.type === 'Literal' && STANDARD_INPUT.has(first.value)
  if (callee.type === 'Identifier') {
    const binding = roots.bindingOf(callee)
    const imported = binding?.declaration.type === 'ImportSpecifier' ? nameOf(binding.declaration.imported) : name
    return (
      binding?.kind !== 'parameter' && (binding === undefined || binding.kind === 'import') && FUNCTIONS.test(imported)
    )
  }
  return callee.type === 'MemberExpression' && /^(?:randomUUID|randomBytes|getRandomValues)$/.test(name)
}

function isMemberOfChance({ object, property }: EstreeNode & { type: 'MemberExpression' }, roots: Roots): boolean {
  if (object.type === 'MetaProperty') return nameOf(property) === 'main'
  return (
    object.type === 'Identifier' &&
    isGlobal(object, object.name, roots) &&
    (MEMBERS.get(object.name)?.test(nameOf(property)) ?? false)
  )
}

function isOwnAddress(node: EstreeNode): boolean {
  if (node.type === 'CallExpression') return node.arguments.some((one) => isOwnAddress(one))
  if (node.type !== 'MemberExpression') return false
  return node.object.type === 'MetaProperty'
    ? /^(?:url|filename)$/.test(nameOf(node.property))
    : isOwnAddress(node.object)
}

function isGlobal(node: EstreeNode, name: string, roots: Roots): boolean {
  return node.type === 'Identifier' && node.name === name && roots.bindingOf(node) === undefined
}

function nameOf(node: EstreeNode): string {
  if (node.type === 'Identifier') return node.name
  return node.type === 'MemberExpression' ? nameOf(node.property) : ''
}
