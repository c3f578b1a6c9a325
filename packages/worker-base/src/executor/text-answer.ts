import { inspect } from 'node:util'

import { stringify } from 'devalue'

import type { ResultForm, TextForm } from '../wire/messages.ts'
import { MAX_VALUE_BYTES, ValueTooLargeError } from '../wire/unsendable.ts'
import { MalformedValueError, decodeValue } from '../wire/values.ts'
import type { WireValue } from '../wire/values.ts'

const TYPE: Readonly<Record<TextForm, string>> = { json: 'application/json', devalue: 'application/x-devalue' }

export function isTextForm(form: ResultForm | undefined): form is TextForm {
  return form === 'json' || form === 'devalue'
}

/**
 * Writes a result or an item as text that stands alone.
 * @throws NotAcceptableError if the form cannot hold it: a BigInt or a cycle in JSON, an error or a Blob in devalue
 */
export function toTextValue(value: WireValue, form: TextForm): WireValue {
  if (value.format === 'json' && form === 'json') return value
  const text = writeText(value, form)
  if (text.length > MAX_VALUE_BYTES) throw new ValueTooLargeError(text.length)
  return { format: form, text, parts: [] }
}

function writeText(value: WireValue, form: TextForm): string {
  try {
    const decoded = decodeValue(value)
    return form === 'devalue' ? stringify(decoded) : (JSON.stringify(decoded) ?? 'null')
  } catch (cause) {
    throw new NotAcceptableError(form, cause)
  }
}

/** The result is fine, but not in the form that the caller asked for. */
class NotAcceptableError extends Error {
  override name = 'NotAcceptable'
  constructor(form: TextForm, cause: unknown) {
    const other = TYPE[form === 'json' ? 'devalue' : 'json']
    super(`The result cannot be written as ${form}. Perhaps "content-type: ${other}" can.`, { cause })
  }
}

/** Tells what was thrown, as the text of an `error`: its HTTP status and an object as JSON. */
export function toTextError(thrown: unknown): WireValue {
  return { format: 'json', text: `${toStatus(thrown)}${JSON.stringify({ error: describe(thrown) })}`, parts: [] }
}

function toStatus(thrown: unknown): number {
  if (thrown instanceof MalformedValueError) return 400
  return thrown instanceof NotAcceptableError ? 406 : 500
}

function describe(thrown: unknown): Readonly<Record<string, string | undefined>> {
  if (!(thrown instanceof Error)) return { name: 'Thrown', message: show(thrown) }
  if (toStatus(thrown) !== 500) return { name: thrown.name, message: thrown.message }
  return {
    name: readText(thrown, 'name') ?? 'Error',
    message: readText(thrown, 'message') ?? '',
    stack: readText(thrown, 'stack'),
  }
}

function show(thrown: unknown): string {
  try {
    return typeof thrown === 'string' ? thrown : inspect(thrown)
  } catch {
    // Its own way of being shown throws as well.
    return 'a value that cannot be shown'
  }
}

function readText(error: Error, key: 'name' | 'message' | 'stack'): string | undefined {
  try {
    const value: unknown = Reflect.get(error, key)
    return typeof value === 'string' ? value : undefined
  } catch {
    // A getter of user code.
    return undefined
  }
}
