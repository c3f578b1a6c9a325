import { DIRECTIVE_PATTERN, LIFT_MODULE, isLiftModuleName } from './directive.ts'

// By filters, most hosts do not even hand a hook what it has nothing to do with: to copy the code of each module out of
// a bundler of native code takes longer than to bundle it. Hosts of older versions ignore filters, so hooks look again.

/** A hook that changes modules. */
export interface TransformHook<Context, Result> {
  readonly filter: { readonly id: RegExp | { readonly exclude: RegExp }; readonly code?: RegExp }
  handler(this: Context, code: string, id: string): Result | null
}

/**
 * The hooks by which two plugins together change all modules that may have lifted functions: the filters of one hook
 * must all hold, and modules that are lifted by their name need no directive.
 */
export function toTransformHooks<Context, Result>(
  transform: (context: Context, code: string, id: string) => Result,
): Readonly<Record<'byDirective' | 'byName', TransformHook<Context, Result>>> {
  return {
    byDirective: {
      filter: { id: { exclude: LIFT_MODULE }, code: DIRECTIVE_PATTERN },
      handler(code, id) {
        return isLiftModuleName(id) ? null : transform(this, code, id)
      },
    },
    byName: {
      filter: { id: LIFT_MODULE },
      handler(code, id) {
        return isLiftModuleName(id) ? transform(this, code, id) : null
      },
    },
  }
}

/** The filter of a hook for modules of these ids. */
export function idsOf(...ids: readonly string[]): { readonly id: RegExp[] } {
  return { id: ids.map((id) => new RegExp(`^${id}$`)) }
}
