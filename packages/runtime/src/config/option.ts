/** One option: what it means, what it may be, and where it can be set. */
export interface Option<T> {
  /** Used when nobody sets it. `undefined`: the platform decides, as `about` says. */
  readonly default: T
  /** The variable that overrides it at run time, for options that describe the environment. */
  readonly environment?: string
  /** One sentence for docs/configuration.md. */
  readonly about: string
  /** Completes "Expected …" in an error. */
  readonly expects: string
  /** Text of an environment variable → the value to check, or `undefined` when it cannot be one. */
  readonly fromText: (text: string) => unknown
  /** Whether a value that somebody wrote is one of the allowed ones. */
  readonly accepts: (value: unknown) => boolean
  /** For an option that is an object of options: what may be inside. */
  readonly fields?: Readonly<Record<string, Option<unknown>>>
}

/** One `Option` for each key of `T`: a key without a line in the table does not compile. */
export type OptionTable<T> = { readonly [K in keyof Required<T>]: Option<Exclude<T[K], undefined> | undefined> }

/** What resolving makes of `T`: every key is there; `undefined` only where the option has no default. */
export type Resolved<T> = { readonly [K in keyof T]-?: T[K] }

type Described<T> = { readonly default: T; readonly environment?: string; readonly about: string }

/** A whole number. */
export function count<T extends number | undefined>(
  option: Described<T> & { readonly min: number; readonly max?: number },
): Option<T> {
  const { min, max = Infinity } = option
  const accepts = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
  const expects = max === Infinity ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`
  return { ...option, expects, fromText: toNumber, accepts }
}

/** A time in milliseconds. */
export function duration<T extends number | undefined>(option: Described<T> & { readonly min?: number }): Option<T> {
  const { min = 0 } = option
  const accepts = (value: unknown) => typeof value === 'number' && value >= min && value < 2 ** 31
  const least = min === 0 ? '' : `, at least ${min}`
  const expects = `a number of milliseconds, without a unit, below 2 ** 31${least}`
  return { ...option, expects, fromText: toNumber, accepts }
}

/** One of a few words. */
export function choice<T extends string | undefined>(
  option: Described<T> & { readonly of: readonly Exclude<T, undefined>[] },
): Option<T> {
  const words: readonly unknown[] = option.of
  const expects = `one of ${option.of.map((word) => `"${word}"`).join(', ')}`
  return { ...option, expects, fromText: (value) => value, accepts: (value) => words.includes(value) }
}

/** Any text but the empty one. */
export function text<T extends string | undefined>(option: Described<T>): Option<T> {
  const accepts = (value: unknown) => typeof value === 'string' && value !== ''
  return { ...option, expects: 'a text', fromText: (value) => value, accepts }
}

/** Yes or no; `true`, `1`, `false` and `0` in the environment. */
export function flag<T extends boolean | undefined>(option: Described<T>): Option<T> {
  const words: Record<string, boolean> = { true: true, '1': true, false: false, '0': false }
  const accepts = (value: unknown) => typeof value === 'boolean'
  return { ...option, expects: 'true or false', fromText: (value) => words[value.toLowerCase()], accepts }
}

/** A list of texts; separated by commas in the environment. */
export function list<T extends readonly string[] | undefined>(option: Described<T>): Option<T> {
  const accepts = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string')
  const fromText = (value: string) => value.split(',').map((item) => item.trim())
  return { ...option, expects: 'a list of texts', fromText, accepts }
}

/** A plain object; JSON in the environment. `of` checks each of its values. */
export function record<T extends object | undefined>(
  option: Described<T> & { readonly of?: (value: unknown) => boolean; readonly expects?: string },
): Option<T> {
  const of = option.of ?? (() => true)
  const accepts = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(of)
  return { ...option, expects: option.expects ?? 'an object', fromText: parseJson, accepts }
}

/** An object of options, checked key by key; JSON in the environment. What reads it fills in the defaults. */
export function nested<T extends object | undefined>(
  option: Described<T> & { readonly fields: OptionTable<Exclude<T, undefined>> },
): Option<T> {
  const fields: Readonly<Record<string, Option<unknown>>> = { ...option.fields }
  return { ...record(option), fields }
}

function toNumber(written: string): unknown {
  return /^\d+(\.\d+)?$/.test(written.trim()) ? Number(written) : undefined
}

function parseJson(written: string): unknown {
  try {
    return JSON.parse(written)
  } catch {
    // Not JSON: refused by the caller, which names the variable and what it expects.
    return undefined
  }
}
