import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the token: `TURBOLIFT_TOKEN`, the file `TURBOLIFT_TOKEN_FILE`, or, with neither, the first line of the
 * lifeline, which nobody can read again; what stands in the environment stays in `/proc/self/environ` for user code.
 * @throws Error that names what is missing
 */
export async function readToken(environment: Environment, input: Readable): Promise<string> {
  const { TURBOLIFT_TOKEN: token, TURBOLIFT_TOKEN_FILE: file, TURBOLIFT_LIFELINE: lifeline } = environment
  if (file !== undefined) return checkToken(readFileSync(file, 'utf8').trim(), `The token file ${file} is empty.`)
  if (token !== undefined && token !== '') return token
  if (lifeline === undefined) throw new Error('The environment variable TURBOLIFT_TOKEN is not set.')
  return checkToken(await readLine(input), 'The lifeline ended before its first line, the token.')
}

function checkToken(token: string, message: string): string {
  if (token === '') throw new Error(message)
  return token
}

/** `''` if the stream ends before. */
function readLine(input: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const settle = (line: string): void => {
      input.off('data', onData).off('end', onEnd).off('error', reject)
      resolve(line)
    }
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\n')
      if (end !== -1) settle(text.slice(0, end))
    }
    const onEnd = (): void => settle('')
    input.on('data', onData).on('end', onEnd).on('error', reject)
  })
}
