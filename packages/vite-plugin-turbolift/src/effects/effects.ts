import type { Node as EstreeNode } from 'estree'

import type { Root } from './roots.ts'

/** How much of what a piece of code does is known. */
export type Reach =
  /** It does nothing but change what it names. */
  | 'known'
  /** It calls code that is not at hand, for what that yields or sets up. */
  | 'unsure'
  /** It does something that can be seen outside: prints, sends, starts, waits for lifted functions. */
  | 'seen'

/** What a piece of code does when it runs. */
export interface Effects {
  /** Variables that it assigns. */
  readonly assigns: ReadonlySet<Root>
  /** Objects that it changes. */
  readonly changes: ReadonlySet<Root>
  /** Objects whose methods it calls, which may change what these hold for themselves. */
  readonly calls: ReadonlySet<Root>
  /** What calls of code that is not at hand may change: an argument, or the module that the function is from. */
  readonly touches: ReadonlySet<Root>
  readonly reach: Reach
  readonly callsLifted: boolean
  /** The first thing in it that yields another value each time: `Date.now`. */
  readonly chance: EstreeNode | undefined
}

/** Gathers effects. */
export class EffectList implements Effects {
  readonly assigns: Set<Root> = new Set()
  readonly changes: Set<Root> = new Set()
  readonly calls: Set<Root> = new Set()
  readonly touches: Set<Root> = new Set()
  reach: Reach = 'known'
  callsLifted = false
  chance: EstreeNode | undefined

  raise(reach: Reach): void {
    if (reach === 'seen' || this.reach === 'known') this.reach = reach
  }

  change(roots: Iterable<Root>): void {
    for (const root of roots) this.changes.add(root)
  }

  callOn(roots: Iterable<Root>): void {
    for (const root of roots) this.calls.add(root)
  }

  /** Takes in what a called function does, its parameters replaced by what it is given. */
  include(other: Effects, toCaller: (root: Root) => Iterable<Root>): void {
    for (const root of other.assigns) for (const one of toCaller(root)) this.assigns.add(one)
    for (const root of other.changes) {
      if (root === 'this') this.callOn(toCaller(root))
      else this.change(toCaller(root))
    }
    for (const root of other.calls) this.callOn(toCaller(root))
    for (const root of other.touches) for (const one of toCaller(root)) this.touches.add(one)
    this.raise(other.reach)
    this.callsLifted ||= other.callsLifted
    this.chance ??= other.chance
  }
}
