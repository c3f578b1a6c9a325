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
  transform(this: { readonly meta: HostMeta }, code: string, id: string): Promise<Stripped | null>
}

/**
 * Takes the types out of modules with lifted functions where the bundler itself does so only after all plugins:
 * rolldown without Vite. Elsewhere the host, or a plugin before this one, has done it.
 */
export function createStripPlugin(): StripPlugin {
  return {
    name: 'turbolift:strip',
    async transform(code, id) {
      const file = id.replace(/\?.*$/, '')
      if (hostKindOf(this.meta) !== 'rolldown' || !/\.(?:[cm]?ts|[jt]sx)$/.test(file)) return null
      if (!mayHoldLifted(code, id)) return null
      const { transform } = await import('rolldown/utils')
      const { code: stripped, map, errors } = await transform(file, code, { sourcemap: true })
      if (errors[0] !== undefined) throw errors[0]
      return { code: stripped, map: map === undefined ? undefined : JSON.stringify(map), moduleType: 'js' }
    },
  }
}
