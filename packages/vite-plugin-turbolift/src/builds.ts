import { bundlerOf } from './bundle/bundle.ts'
import type { BundlerOptions } from './bundle/bundle.ts'
import { viteBundlerOf } from './bundle/by-vite.ts'
import type { ViteEnvironment } from './bundle/by-vite.ts'
import { flatten } from './bundle/user-plugins.ts'
import { Compiler } from './compiler.ts'
import type { ResolvedOptions } from './options.ts'

/** The part of a plugin context that says which build a hook is called for. */
export interface OfBuild {
  /** In Vite alone. */
  readonly environment?: ViteEnvironment
}

/**
 * The builds that one instance of the plugin serves, each with a compiler of its own: several environments at once,
 * several configurations after each other, and in watch mode the same one again and again.
 */
export class Builds {
  readonly #options: ResolvedOptions
  readonly #byEnvironment: WeakMap<object, Compiler> = new WeakMap()
  /** Of Rollup and rolldown, whose contexts do not say which build they are of. */
  #last: { readonly compiler: Compiler; readonly key: readonly unknown[] } | undefined

  constructor(options: ResolvedOptions) {
    this.#options = options
  }

  of({ environment }: OfBuild): Compiler {
    if (environment === undefined) {
      if (this.#last === undefined) throw new Error('The bundler calls hooks before it has told its options.')
      return this.#last.compiler
    }
    const known = this.#byEnvironment.get(environment)
    if (known !== undefined) return known
    const { root } = environment.getTopLevelConfig()
    const compiler = new Compiler(this.#options, root, viteBundlerOf(environment))
    this.#byEnvironment.set(environment, compiler)
    return compiler
  }

  /** A build of Rollup or rolldown begins. */
  async begin(kind: 'rollup' | 'rolldown', input: BundlerOptions): Promise<void> {
    const root = typeof input['cwd'] === 'string' ? input['cwd'] : process.cwd()
    const key = [root, toText(input), ...(await flatten(input.plugins))]
    if (this.#last !== undefined && isSame(this.#last.key, key)) return
    this.#last = { compiler: new Compiler(this.#options, root, bundlerOf(kind, root, input)), key }
  }
}

/** Options as a text, without those that bundlers make anew for each build of a watcher. */
function toText(input: BundlerOptions): string {
  const { plugins: _, cache: __, watch: ___, onLog: ____, onwarn: _____, ...options } = input
  return JSON.stringify(options, (_key, value: unknown) =>
    typeof value === 'function' || value instanceof RegExp ? String(value) : value,
  )
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}
