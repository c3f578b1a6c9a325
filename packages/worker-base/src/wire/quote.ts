/** Longer texts are looked at by the engine itself, faster than by a pattern. */
const SHORT_UNITS = 200
// oxlint-disable-next-line no-control-regex -- what JSON has to escape
const UNSAFE = /["\\\u0000-\u001f\ud800-\udfff]/
/** The engine reads hexadecimal digits in a time that grows with their number, decimal ones with its square. */
const MANY_DIGITS = 10n ** 200n
const MAX_DECIMAL_DIGITS = 100_000

/** The text as JSON; also with halves of surrogate pairs it survives UTF-8. */
export function quote(text: string): string {
  return text.length > SHORT_UNITS || UNSAFE.test(text) ? JSON.stringify(text) : `"${text}"`
}

/** The same of a text of any length; `undefined` where V8 cannot hold it any more. */
export function quoteAny(text: string): string | undefined {
  try {
    return quote(text)
  } catch {
    return undefined
  }
}

export function bigIntToText(value: bigint): string {
  if (value < MANY_DIGITS && value > -MANY_DIGITS) return `["BigInt","${value}"]`
  return value < 0n ? `["BigInt","-0x${(-value).toString(16)}"]` : `["BigInt","0x${value.toString(16)}"]`
}

export function textToBigInt(text: string): bigint {
  if (text.startsWith('-0x')) return -BigInt(text.slice(1))
  if (text.length > MAX_DECIMAL_DIGITS && !text.startsWith('0x')) throw new Error('a BigInt of too many digits')
  return BigInt(text)
}
