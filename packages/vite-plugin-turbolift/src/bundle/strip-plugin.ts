import { mayHoldLifted } from '../directive.ts'
import { hostKindOf } from './host.ts'
import type { HostMeta } from './host.ts'

interface Stripped {
  readonly code: string
  readonly map: string | undefined
  readonly moduleType: 'js'
}

export interface StripPlugin {
  readonly name: string
  /** Not in Vite. */
  readonly apply: () => false
  readonly transform: {
    readonly filter: { readonly id: RegExp }
    handler(this: { readonly meta: HostMeta }, code: string, id: string): Promise<Stripped | null>
  }
}

const TYPED = /\.(?:[cm]?ts|[jt]sx)(?:$|\?)/

/**
 * Takes the types out of modules with lifted functions where the bundler itself does so only after all plugins:
 * rolldown without Vite. Elsewhere the host, or a plugin before this one, has done it.
 */
export function createStripPlugin(): StripPlugin {
  return {
    name: 'turbolift:strip',
    apply: () => false,
    transform: {
      filter: { id: TYPED },
      async handler(code, id) {
        if (hostKindOf(this.meta) !== 'rolldown' || !TYPED.test(id) || !mayHoldLifted(code, id)) return null
        const { code: stripped, map } = await stripTypes({ id, code })
        return { code: stripped, map: map === undefined ? undefined : JSON.stringify(map), moduleType: 'js' }
      },
    },
  }
}

export interface PlainModule {
  readonly id: string
  readonly code: string
}

/** The code of a module without its types, where the host leaves them in it until the end. */
export async function toJavaScript(module: PlainModule, meta: HostMeta): Promise<string> {
  return hostKindOf(meta) === 'rolldown' && TYPED.test(module.id) ? (await stripTypes(module)).code : module.code
}

async function stripTypes({ id, code }: PlainModule): Promise<{ code: string; map: object | undefined }> {
  const { transform } = await import('rolldown/utils')
  const { code: stripped, map, errors } = await transform(id.replace(/\?.*$/, ''), code, { sourcemap: true })
  if (errors[0] !== undefined) throw errors[0]
  return { code: stripped, map }
}
