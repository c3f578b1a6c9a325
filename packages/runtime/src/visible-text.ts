// Colours and the like, which are only left out: nobody has to read them.
// oxlint-disable-next-line no-control-regex -- it is what they begin with
const STYLES = /\u001B\[[\d;:]*m/g
// What a terminal obeys (also the 8-bit forms), and what turns the order of letters around.
const OBEYED = /[\p{Bidi_Control}\u2028\u2029]|(?![\n\t])\p{Cc}/gu

/**
 * Text of others (a cluster, a registry, another run), for a terminal: what that would obey is shown, as JSON writes it.
 * Line breaks and tabs stay.
 */
export function toVisibleText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(STYLES, '')
    .replace(OBEYED, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The same in one line, whatever it holds. */
export function toVisibleLine(text: string): string {
  return toVisibleText(text).replaceAll(/\s*\n\s*/g, ' ')
}
