import type { IncomingMessage } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

import { WIRE_VERSION } from '../wire/version.ts'
import type { TokenCheck } from './token.ts'

const PROTOCOL = 'turbolift'

export interface UpgradeRules {
  readonly isAllowed: TokenCheck
  readonly build: string
  readonly isDraining: boolean
}

/** Answers an upgrade request. True: the stream now speaks frames. False: it was refused, and is closed. */
export function acceptUpgrade(request: IncomingMessage, socket: Duplex, rules: UpgradeRules): boolean {
  const refusal = findRefusal(request, rules)
  if (refusal === undefined) {
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${PROTOCOL}/${WIRE_VERSION}`]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    return true
  }
  const [status, why] = refusal
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'Connection: close', `Content-Length: ${why.length}`]
  socket.on('error', () => socket.destroy())
  // Closed from here: who was refused might keep it open for ever.
  socket.end(`${head.join('\r\n')}\r\n\r\n${why}`, () => socket.destroy())
  return false
}

function findRefusal({ headers, url }: IncomingMessage, rules: UpgradeRules): readonly [number, string] | undefined {
  if (!rules.isAllowed(headers.authorization)) return [401, 'the token is missing or wrong']
  const [path] = (url ?? '').split('?')
  if (path?.endsWith('/connect') !== true) return [404, 'only /connect can be upgraded']
  const [protocol, version] = (headers.upgrade ?? '').split('/')
  if (protocol !== PROTOCOL) return [400, `the upgrade must be to ${PROTOCOL}/${WIRE_VERSION}`]
  if (version !== String(WIRE_VERSION)) return [426, `this worker speaks version ${WIRE_VERSION}, not ${version}`]
  if (headers['turbolift-build'] !== rules.build) return [409, 'this worker runs another build of the program']
  return rules.isDraining ? [503, 'this worker is about to exit'] : undefined
}
