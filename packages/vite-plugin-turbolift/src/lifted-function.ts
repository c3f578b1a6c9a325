import type { FunctionNode, NodeOf } from './ast.ts'
import type { Binding } from './scope.ts'

/** Where a lifted function stands, which decides how it is taken out and what replaces it. */
export type Form =
  /** `async function f() {}`, a statement; `exported` is the name of an inline export. */
  | { readonly kind: 'declaration'; readonly exported: 'no' | 'named' | 'default' }
  /** An arrow function or function expression; `endsStatement` where nothing follows it in a statement or field. */
  | { readonly kind: 'expression'; readonly endsStatement: boolean }
  /** A method of an object literal or a static one of a class. */
  | { readonly kind: 'method'; readonly member: NodeOf<'Property' | 'MethodDefinition'>; readonly key: string }

export interface LiftedFunction {
  /** Name within its module: its own, after those of the functions around it (`outer.inner`). */
  readonly path: string
  /** As `Function.name`. */
  readonly name: string
  readonly length: number
  readonly pool: string | undefined
  readonly kind: 'call' | 'stream'
  readonly node: FunctionNode
  readonly form: Form
  /** Its name when that is bound at the top level of its module to nothing else: the worker's slice keeps it as it is. */
  readonly topLevelName: string | undefined
  /** The class at the top level that a static method names or whose private members it uses: it stays in its class. */
  readonly ownClass: string | undefined
  /** The variable that a nested function is assigned to, when it calls itself by that name. */
  readonly ownVariable: string | undefined
  /** Bindings between the function and the module's top level, which travel by value. */
  readonly captures: readonly Binding[]
}
