/** A lifted function whose signature is to be checked. */
export interface TypecheckSubject {
  readonly id: string
  /** Absolute path of the module that holds it. */
  readonly module: string
  readonly reach: SubjectReach
}

/** How an assertion can name the function's type: from outside by its export, or inside its body, at its directive. */
export type SubjectReach =
  | { readonly kind: 'export'; readonly name: string }
  | {
      readonly kind: 'directive'
      /** Position among the module's directives of functions, in source order. */
      readonly ordinal: number
      /** Names of what it captures, which travels like a parameter. */
      readonly captures: readonly string[]
    }

/** The modules that have types to check. */
export function isTypeScript(module: string): boolean {
  return /\.[mc]?tsx?$/.test(module) && !/\.d\.[mc]?ts$/.test(module)
}
