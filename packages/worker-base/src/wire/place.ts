import { quote } from './quote.ts'

/** One step into a value: a field, an item, what a Map has under a key. */
export type Step = string | number | { readonly key: unknown }

/** An object that is being written, and the way to it. */
export interface Place {
  readonly object: object
  /** Its number in the text. */
  readonly index: number
  readonly depth: number
  readonly parent: Place | undefined
  readonly step: Step
  /** Told of what is left out below; without one nothing may be left out. */
  readonly notes: Notes | undefined
}

/** Longer paths are cut in the middle. */
const MAX_STEPS = 40
const MAX_STEP_UNITS = 100
/** Enough to find a mistake. */
const MAX_NOTES = 20
const IDENTIFIER = /^[a-zA-Z_$][\w$]*$/

/** `.options.items[3].get("key")`, up to the object that `end` is the notes of. */
export function pathTo(place: Place | undefined, step: Step, end?: Notes): string {
  const steps: Step[] = [step]
  for (let at = place; at?.parent !== undefined && at !== end?.place; at = at.parent) steps.push(at.step)
  steps.reverse()
  const left = steps.length - MAX_STEPS
  if (left <= 0) return steps.map(toText).join('')
  const half = MAX_STEPS / 2
  return `${steps.slice(0, half).map(toText).join('')}…(${left} more)…${steps.slice(-half).map(toText).join('')}`
}

function toText(step: Step): string {
  if (typeof step === 'number') return `[${step}]`
  if (typeof step === 'object') return `.get(${isPrimitive(step.key) ? toLiteral(step.key) : '...'})`
  if (step === '') return ''
  const text = step.slice(0, MAX_STEP_UNITS)
  return IDENTIFIER.test(text) ? `.${text}` : `[${quote(text)}]`
}

function isPrimitive(key: unknown): key is string | number | bigint | boolean | null | undefined {
  return key === null || !['object', 'function', 'symbol'].includes(typeof key)
}

function toLiteral(key: string | number | bigint | boolean | null | undefined): string {
  return typeof key === 'string' ? quote(key.slice(0, MAX_STEP_UNITS)) : String(key)
}

/** What an error, or another value that was thrown, arrives without: `field: reason`. */
export class Notes {
  /** The value that the paths begin at. */
  place: Place | undefined
  readonly #lines: string[] = []
  #more = 0

  add(place: Place | undefined, step: Step, reason: string): void {
    if (this.#lines.length === MAX_NOTES) this.#more += 1
    else this.#lines.push(`${pathTo(place, step, this).replace(/^\./, '')}: ${reason}`)
  }

  get lines(): readonly string[] {
    return this.#more === 0 ? this.#lines : [...this.#lines, `and ${this.#more} more`]
  }
}
