import { inspect } from 'node:util'

import { stringify } from 'devalue'

import type { ResultForm, TextForm } from '../wire/messages.ts'
import { MAX_VALUE_BYTES, ValueTooLargeError } from '../wire/unsendable.ts'
import { MalformedValueError, decodeError, decodeValue, encodeError } from '../wire/values.ts'
import type { ErrorOptions, WireValue } from '../wire/values.ts'

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
export function toTextError(thrown: unknown, options: ErrorOptions = {}): WireValue {
  const status = toStatus(thrown)
  // A copy has nothing that runs code of the user's.
  const shown = status === 500 ? decodeError(encodeError(thrown, options)) : thrown
  return { format: 'json', text: `${status}${JSON.stringify({ error: describe(shown, status) })}`, parts: [] }
}

function toStatus(thrown: unknown): number {
  try {
    if (thrown instanceof MalformedValueError) return 400
    return thrown instanceof NotAcceptableError ? 406 : 500
  } catch {
    // A proxy, which says what it is an instance of.
    return 500
  }
}

function describe(thrown: unknown, status: number): Readonly<Record<string, string | undefined>> {
  if (!(thrown instanceof Error))
    return { name: 'Thrown', message: typeof thrown === 'string' ? thrown : inspect(thrown) }
  const { name, message, stack } = thrown
  return status === 500 ? { name, message, stack } : { name, message }
}
