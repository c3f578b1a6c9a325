import type { LiftedFunction } from './lifted-function.ts'

/** Names of what generated code imports, none of which the module uses itself. */
export interface ProxyNames {
  readonly lift: string
  readonly manifest: string
}

export const RUNTIME_MODULE = 'turbolift/internal'
export const MANIFEST_MODULE = 'virtual:turbolift/manifest'

export function chooseProxyNames(code: string): ProxyNames {
  return { lift: unusedName('$lift', code), manifest: unusedName('$manifest', code) }
}

/** A name that stands nowhere in a source. */
export function unusedName(wanted: string, code: string): string {
  let name = wanted
  while (code.includes(name)) name += '_'
  return name
}

export function toProxyImports({ lift, manifest }: ProxyNames): string {
  return (
    `import { createLiftedFunction as ${lift} } from '${RUNTIME_MODULE}';\n` +
    `import { manifest as ${manifest} } from '${MANIFEST_MODULE}';\n`
  )
}

/**
 * The expression that stands in the main program for a lifted function:
 *
 *     /*@__PURE__*\/ $lift($manifest, { id: 'src/main.ts#square', name: 'square', length: 1, pool: 'default', kind: 'call' })
 *
 * and for one with captures, read at each call: `$lift($manifest, { … }, () => ({ k }))`.
 */
export function toProxy(fn: LiftedFunction, id: string, { lift, manifest }: ProxyNames): string {
  const meta = JSON.stringify({ id, name: fn.name, length: fn.length, pool: fn.pool ?? 'default', kind: fn.kind })
  const captures = fn.captures.length === 0 ? '' : `, () => ({ ${fn.captures.map(({ name }) => name).join(', ')} })`
  return `/*@__PURE__*/ ${lift}(${manifest}, ${meta}${captures})`
}
