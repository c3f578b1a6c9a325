/**
 * Makes a small TypeScript program with lifted functions, the same for the same seed: module bindings of all kinds,
 * what sets them up, shadowing, captures, patterns, loops and calls among them, and modules that set up each other, in
 * cycles and behind barrels. Its main module exports `run`, whose result depends on all of it.
 * @param stem what the names of its files begin with
 * @returns text by file name
 */
export function generateProgram(seed: number, stem: string): Readonly<Record<string, string>> {
  return new Generator(seed, stem).program()
}

/** Names are few, so that they often shadow each other. */
const NAMES = ['a', 'b', 'c', 'd', 'e']

class Generator {
  readonly #random: () => number
  /** Bindings that hold numbers, by scope, innermost last. */
  readonly #scopes: Set<string>[] = [new Set()]
  /** Lifted and plain async functions of the module, callable with one number. */
  readonly #functions: string[] = []
  readonly #stem: string
  readonly #modules: Record<string, string> = {}
  #counter = 0

  constructor(seed: number, stem: string) {
    this.#random = mulberry32(seed)
    this.#stem = stem
  }

  program(): Readonly<Record<string, string>> {
    const imports = this.#times(0, 1, () => this.#otherModules())
    const constants = this.#times(2, 5, () => this.#moduleConstant())
    const helpers = this.#times(0, 3, () => this.#helper())
    const lifted = this.#times(1, 4, () => this.#lifted())
    const nested = this.#nested()
    const parts = this.#pick([true, false])
      ? [...constants, ...helpers, ...lifted]
      : [...lifted, ...constants, ...helpers]
    const main = [...imports, ...parts, nested, this.#run()].join('\n')
    return { [`${this.#stem}.ts`]: main, ...this.#modules }
  }

  /** A module with a table, one that fills it when it runs, and a barrel in front of both; yields the imports. */
  #otherModules(): string {
    const [state, setter, barrel, user] = ['state', 'setter', 'barrel', 'user'].map((name) => `${this.#stem}-${name}`)
    const table = `table_${this.#stem}`
    const isCycle = this.#pick([true, false])
    this.#modules[`${state}.ts`] = isCycle
      ? `import { late } from './${setter}.ts'\nexport const ${table}: Record<string, number> = {}\nexport const read = () => late() + (${table}.x ?? 0)`
      : `export const ${table}: Record<string, number> = { x: ${this.#integer()} }`
    this.#modules[`${setter}.ts`] =
      `import { ${table} } from './${state}.ts'\n${this.#setUp(table, 'x')}\nexport function late() { return ${this.#integer()} }`
    this.#modules[`${barrel}.ts`] =
      `import './${setter}.ts'\nexport * from './${state}.ts'\nexport * from './${user}.ts'`
    this.#modules[`${user}.ts`] =
      `import { ${table} } from './${state}.ts'\nclass User { constructor() { queueMicrotask(() => {}) } n = ${table}.x ?? 0 }\nexport const user = new User()`
    this.#declare(`(${table}.x ?? 0)`)
    return this.#pick([
      `import './${setter}.ts'\nimport { ${table} } from './${state}.ts'`,
      `import { ${table} } from './${barrel}.ts'`,
      // In a cycle, the module with the table has to be reached by the one that fills it.
      ...(isCycle ? [] : [`import { ${table} } from './${state}.ts'\n${this.#setUp(table, 'x')}`]),
    ])
  }

  /** An object with a number in it, put there in one of many spellings. */
  #setUpObject(): string {
    const name = this.#fresh('t')
    const made = this.#pick(['{}', '{ a: 1, deep: {} }', `make_${name}()`])
    const maker = made.startsWith('make') ? `const make_${name} = (): Record<string, any> => ({})\n` : ''
    const setUps = this.#times(1, 3, () => this.#setUp(name, this.#pick(['a', 'b'])))
    this.#declare(`(${name}.a ?? 0)`)
    this.#declare(`(${name}.b ?? 0)`)
    return `${maker}const ${name}: Record<string, any> = ${made}\n${setUps.join('\n')}`
  }

  /** Statements of the top level that put a number into a field of an object. */
  #setUp(object: string, key: string): string {
    const value = this.#expression(1)
    const own = this.#fresh('s')
    return this.#pick([
      `${object}.${key} = ${value}`,
      `${object}['${key}'] ??= ${value}`,
      `const ${own} = ${object}\n${own}.${key} = ${value}`,
      `const ${own} = { inner: ${object} }\n${own}.inner.${key} = ${value}`,
      `;${value} > 2 ? (${object}.${key} = ${value}) : undefined`,
      `;${value} > 3 && (${object}.${key} = ${value})`,
      `void ((${object}.${key} = ${value}), ${value})`,
      `;[${object}.${key}] = [${value}]`,
      `;({ value: ${object}.${key} } = { value: ${value} })`,
      `Object.assign(${object}, { ${key}: ${value} })`,
      `for (const ${own} of [1, 2]) ${object}.${key} = ${own} + ${value}`,
      `;[1, 2].forEach((${own}) => { ${object}.${key} = ${own} })`,
      `;(() => { ${object}.${key} = ${value} })()`,
      `!(function () { ${object}.${key} = ${value} })()`,
      `${own}(${object}, ${value})\nfunction ${own}(target: any, n: number) { ${own}_b(target, n) }\nfunction ${own}_b(other: any, n: number) { other.${key} = n }`,
      `const ${own} = (n: number) => { ${object}.${key} = n }\n${own}(${value})`,
      `class ${own} { static n = (${object}.${key} = ${value}) }\nvoid ${own}`,
      `class ${own} { static { ${object}.${key} = ${value} } }\nvoid ${own}`,
      `const ${own} = (${object}.${key} = ${value})\nvoid ${own}`,
      `try { if (${value} > 4) throw ${value}; ${object}.${key} = ${value} } catch { ${object}.${key} = 8 }`,
      `delete ${object}.${key}`,
      `{ var ${own} = ${value}; ${object}.${key} = ${own} }`,
      `${own}: { ${object}.${key} = ${value}; break ${own} }`,
      `switch (${this.#integer()}) { case 1: ${object}.${key} = ${value}; break; default: ${object}.${key} = 9 }`,
      `for (const ${own} of [${object}]) ${own}.${key} = ${value}`,
      `await (async () => { ${object}.${key} = ${value} })()`,
    ])
  }

  #moduleConstant(): string {
    const name = this.#fresh('m')
    const init = this.#expression(1)
    if (this.#random() < 0.4) return this.#setUpObject()
    this.#declare(name)
    return this.#pick([
      () =>
        `class ${name}_C { static n = ${init}; static twice() { return this.n * 2 } }\nconst ${name} = ${name}_C.twice()`,
      () => `const ${name} = ${name}_early()\nfunction ${name}_early() { return ${init} }`,
      () => `{ var ${name} = ${init} }`,
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
