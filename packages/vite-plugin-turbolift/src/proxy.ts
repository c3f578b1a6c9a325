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

export interface ProxyInput {
  readonly id: string
  /** Name of the hoisted function that calls the proxy. */
  readonly declared: string | undefined
  readonly names: ProxyNames
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

/** A key of an object literal: `__proto__` would be its prototype. */
export function toKey(name: string): string {
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)
}

/**
 * The expression that stands in the main program for a lifted function:
 *
 *     /*@__PURE__*\/ $lift($manifest, { id: 'src/main.ts#square', name: 'square', length: 1, pool: 'default', kind: 'call' })
 *
 * and for one with captures, read at each call: `$lift($manifest, { … }, () => ({ k }))`.
 */
export function toProxy(fn: LiftedFunction, { id, declared, names }: ProxyInput): string {
  const { lift, manifest } = names
  const meta = JSON.stringify({ id, name: fn.name, length: fn.length, pool: fn.pool ?? 'default', kind: fn.kind })
  const captures =
    fn.captures.length === 0 ? undefined : `() => ({ ${fn.captures.map(({ name }) => name).join(', ')} })`
  const more = declared === undefined ? [captures] : [captures ?? 'undefined', declared]
  const values = [manifest, meta, ...more.filter((value) => value !== undefined)]
  return `/*@__PURE__*/ ${lift}(${values.join(', ')})`
}

/** The same head as a function has, and a body that calls its proxy. */
export function toHoisted(fn: LiftedFunction, name: string, proxy: string): string {
  const params = Array.from({ length: fn.length }, (_, index) => `$${index}`).join(', ')
  return fn.kind === 'stream'
    ? `async function* ${name}(${params}) { return yield* ${proxy}(...arguments); }`
    : `async function ${name}(${params}) { return await ${proxy}(...arguments); }`
}
