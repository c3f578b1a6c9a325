/**
 * Makes a small TypeScript module with lifted functions, the same for the same seed: module bindings of all kinds,
 * shadowing, captures, patterns, loops and calls among them. It exports `run`, whose result depends on all of it.
 */
export function generateProgram(seed: number): string {
  return new Generator(seed).program()
}

/** Names are few, so that they often shadow each other. */
const NAMES = ['a', 'b', 'c', 'd', 'e']

class Generator {
  readonly #random: () => number
  /** Bindings that hold numbers, by scope, innermost last. */
  readonly #scopes: Set<string>[] = [new Set()]
  /** Lifted and plain async functions of the module, callable with one number. */
  readonly #functions: string[] = []
  #counter = 0

  constructor(seed: number) {
    this.#random = mulberry32(seed)
  }

  program(): string {
    const constants = this.#times(2, 5, () => this.#moduleConstant())
    const helpers = this.#times(0, 3, () => this.#helper())
    const lifted = this.#times(1, 4, () => this.#lifted())
    const nested = this.#nested()
    const parts = this.#pick([true, false])
      ? [...constants, ...helpers, ...lifted]
      : [...lifted, ...constants, ...helpers]
    return [...parts, nested, this.#run()].join('\n')
  }

  #moduleConstant(): string {
    const name = this.#fresh('m')
    const init = this.#expression(1)
    this.#declare(name)
    return this.#pick([
      () => `const ${name} = ${init}`,
      () => `let ${name} = ${init}`,
      () => `const { value: ${name} = 3 } = { value: ${init} } as { value?: number }`,
      () => `const [, ${name} = 4] = [0, ${init}] as (number | undefined)[]`,
      () => `let ${name}: number\nif (${init} > 2) ${name} = 1\nelse ${name} = 2`,
      () => `const ${name}_list: number[] = []\n${name}_list.push(${init})\nconst ${name} = ${name}_list.length`,
    ])()
  }

  #helper(): string {
    const name = this.#fresh('h')
    const text = `function ${name}(x: number): number {\n${this.#body(['x'], 2)}\n}`
    return text
  }

  #lifted(): string {
    const name = this.#fresh('f')
    const parameter = this.#pick(NAMES)
    const body = this.#body([parameter], 3)
    this.#functions.push(name)
    return this.#pick([
      () => `async function ${name}(${parameter}: number): Promise<number> {\n  'use lift'\n${body}\n}`,
      () => `const ${name} = async (${parameter}: number): Promise<number> => {\n  'use lift'\n${body}\n}`,
      () => `export async function ${name}(${parameter} = 1): Promise<number> {\n  'use lift'\n${body}\n}`,
      () => `export const ${name} = async function (${parameter}: number): Promise<number> {\n  'use lift'\n${body}\n}`,
    ])()
  }

  /** A function with lifted ones inside, which capture its parameters and variables. */
  #nested(): string {
    const outer = this.#fresh('o')
    const [parameter, local] = [this.#pick(NAMES), this.#pick(NAMES)]
    this.#scopes.push(new Set([parameter]))
    const init = this.#expression(1)
    const isOther = local !== parameter
    if (isOther) this.#declare(local)
    const inner = this.#pick(NAMES)
    const body = this.#body([inner], 2)
    this.#scopes.pop()
    this.#functions.push(outer)
    const declaration = isOther ? `  const ${local} = ${init}\n` : ''
    const call = this.#pick(['inner(1)', 'Promise.all([1, 2].map(inner)).then((all) => all.length + all[0]!)'])
    return `async function ${outer}(${parameter}: number): Promise<number> {\n${declaration}  const inner = async (${inner}: number): Promise<number> => {\n    'use lift'\n${body}\n  }\n  return ${call}\n}`
  }

  #run(): string {
    const calls = this.#functions.map((name) => `await ${name}(${this.#integer()})`)
    return `export async function run() {\n  return [${calls.join(', ')}]\n}`
  }

  #body(parameters: readonly string[], depth: number): string {
    this.#scopes.push(new Set(parameters))
    const statements = this.#times(1, 4, () => this.#statement(depth))
    const text = [...statements, `return ${this.#expression(2)}`].map((line) => `  ${line}`).join('\n')
    this.#scopes.pop()
    return text
  }

  #statement(depth: number): string {
    const own = this.#scopes.at(-1)
    const free = NAMES.filter((name) => own?.has(name) !== true)
    const name = free.length === 0 ? this.#fresh('v') : this.#pick(free)
    if (depth === 0) return `void (${this.#expression(1)})`
    return this.#pick([
      () => this.#local(name),
      () => this.#local(name),
      () => this.#block(name, (inner) => `{ const ${name} = ${this.#integer()}; void (${inner}) }`),
      () => this.#block(name, (inner) => `for (const ${name} of [1, 2]) { if (${inner} === -99) break }`),
      () => this.#block(name, (inner) => `for (let ${name} = 0; ${name} < 2; ${name} += 1) void (${inner})`),
      () =>
        this.#block(
          name,
          (inner) => `try { if (${this.#expression(1)} > 5) throw 7 } catch (${name}: any) { void (${inner}) }`,
        ),
      () => this.#block(name, (inner) => `void ((${name}: number) => ${inner})(${this.#integer()})`),
      () =>
        this.#block(name, (inner) => `${name}: for (;;) { if (true) break ${name} }; void ({ ${name}: ${inner} })`, {
          binds: false,
        }),
    ])()
  }

  /** A `let` of the body; its initializer is made first, so that it cannot refer to itself. */
  #local(name: string): string {
    // Elsewhere in this body the name may have been read already, as the one outside.
    const unique = this.#fresh(name)
    const init = this.#expression(1)
    this.#declare(unique)
    return this.#pick([
      () => `let ${unique} = ${init}; ${unique} += 1`,
      () => `const { x: ${unique}, ...rest_${unique} } = { x: ${init}, y: 1 }; void rest_${unique}`,
      () => `var ${unique} = ${init}`,
      () => `function ${unique}_f() { return ${init} }; const ${unique} = ${unique}_f()`,
      () =>
        `class ${unique}_C { n = ${init}; get value() { return this.n } }; const ${unique} = new ${unique}_C().value`,
    ])()
  }

  #block(name: string, write: (inner: string) => string, { binds = true }: { readonly binds?: boolean } = {}): string {
    this.#scopes.push(new Set(binds ? [name] : []))
    const inner = this.#expression(1)
    this.#scopes.pop()
    return write(inner)
  }

  #expression(depth: number): string {
    const known = [...new Set(this.#scopes.flatMap((scope) => [...scope]))]
    const atom = () => (known.length > 0 && this.#random() < 0.75 ? this.#pick(known) : String(this.#integer()))
    if (depth === 0) return atom()
    return this.#pick([
      atom,
      () => `(${this.#expression(depth - 1)} + ${this.#expression(depth - 1)})`,
      () => `(${this.#expression(depth - 1)} - ${atom()})`,
      () => `({ a: ${atom()}, b: ${atom()} }).${this.#pick(['a', 'b'])}`,
      () => `(${atom()} > ${atom()} ? ${atom()} : ${atom()})`,
      () => `[${atom()}, ${atom()}].length`,
      () => `Number(\`\${${atom()}}\`)`,
    ])()
  }

  #declare(name: string): void {
    this.#scopes.at(-1)?.add(name)
  }

  #fresh(prefix: string): string {
    this.#counter += 1
    return `${prefix}${this.#counter}`
  }

  #integer(): number {
    return Math.floor(this.#random() * 9)
  }

  #times(least: number, most: number, make: () => string): string[] {
    return Array.from({ length: least + Math.floor(this.#random() * (most - least + 1)) }, make)
  }

  #pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const choice = choices[Math.floor(this.#random() * choices.length)]
    if (choice === undefined) throw new Error('Nothing to choose from.')
    return choice
  }
}

/** Tommy Ettinger's Mulberry32: 32 bits of state, even enough for choices. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
