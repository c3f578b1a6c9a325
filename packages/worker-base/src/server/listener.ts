import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { TextForm } from '../wire/messages.ts'
import { readBody } from './body.ts'
import type { BodyBudget } from './body.ts'
import { BODY_TYPE, answerHttpCall } from './http-call.ts'
import type { HttpCallServices } from './http-call.ts'
import { Refusal, refuse, writeJson, writeText } from './refusal.ts'
import type { WorkerStatus } from './status.ts'
import type { TokenCheck } from './token.ts'

export interface ListenerOptions {
  readonly services: HttpCallServices
  readonly status: WorkerStatus
  readonly isAllowed: TokenCheck
  readonly bodies: BodyBudget
  /** A connection has shown the token. */
  readonly onKnown: (socket: Socket) => void
  /** A fault of the worker's own, which ends one request. */
  readonly onFault: (error: unknown) => void
}

const CALL_PATH = '/call/'

/**
 * What the worker answers to plain HTTP: `GET /health` and `GET /ready` for probes, `POST /call/<lift id>` for people,
 * who may come through a proxy that puts a prefix before the path. Of a request without the token nothing is looked at
 * but whether it is a probe.
 */
export function createListener(options: ListenerOptions): RequestListener {
  return (request, response) => {
    // A caller who leaves is noticed by the close of the response.
    request.on('error', () => undefined)
    response.on('error', () => response.destroy())
    void answer(request, response, options).catch((error: unknown) => {
      options.onFault(error)
      response.destroy()
    })
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, options: ListenerOptions): Promise<void> {
  try {
    if (answerProbe(request, response, options.status)) return
    if (!options.isAllowed(request.headers.authorization)) throw unauthorized()
    options.onKnown(request.socket)
    await answerCall(request, response, options)
  } catch (error) {
    if (!(error instanceof Refusal)) options.onFault(error)
    refuse(request, response, error instanceof Refusal ? error : new Refusal(500, 'The worker failed at this request.'))
  }
}

function answerProbe({ method, url }: IncomingMessage, response: ServerResponse, status: WorkerStatus): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const path = url?.split('?', 1)[0]
  if (path === '/health') writeText(response, { status: 200, headers: { 'content-type': 'text/plain' } }, 'ok')
  else if (path === '/ready') answerReady(response, status)
  else return false
  return true
}

function answerReady(response: ServerResponse, status: WorkerStatus): void {
  const error = status.kind === 'failed' ? status.message : undefined
  writeJson(response, { status: status.kind === 'ready' ? 200 : 503 }, { status: status.kind, error })
}

function unauthorized(): Refusal {
  const why = 'The token is missing or wrong: send "Authorization: Bearer <token>".'
  return new Refusal(401, why, { headers: { 'www-authenticate': 'Bearer' } })
}

async function answerCall(request: IncomingMessage, response: ServerResponse, options: ListenerOptions): Promise<void> {
  const { services, status, bodies } = options
  const liftId = parseLiftId(toPath(request.url), status.kind === 'ready' ? status.ids : undefined)
  if (request.method !== 'POST') throw new Refusal(405, 'Calls are made with POST.', { headers: { allow: 'POST' } })
  const form = parseForm(request)
  const held = bodies.hold()
  try {
    const body = await readBody(request, response, { budget: bodies, held })
    await answerHttpCall(services, { liftId, form, body }, response)
  } finally {
    held.release()
  }
}

/** The path of a target, also of one that names the host, as it is written to proxies. */
function toPath(target = ''): string {
  return /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(target)?.[1] ?? ''
}

/**
 * What follows `/call/`: a prefix and the lift id, which is a path itself, may have a `/call/` of their own.
 * @throws Refusal 404
 */
function parseLiftId(path: string, ids: readonly string[] | undefined): string {
  const rests = path.split(CALL_PATH).map((_, index, parts) => parts.slice(index + 1).join(CALL_PATH))
  const candidates = rests.slice(0, -1).map(decode)
  const liftId = candidates.find((candidate) => ids?.includes(candidate)) ?? candidates[0]
  if (liftId === undefined) throw new Refusal(404, 'Calls go to "/call/<lift id>".')
  const isKnown = ids?.includes(liftId) ?? !liftId.includes('\0')
  if (!isKnown) throw new Refusal(404, `There is no lifted function "${liftId}".`, { data: { known: ids } })
  return liftId
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Refusal(400, 'The path is not a valid percent-encoded lift id.')
  }
}

/** @throws Refusal 415 */
function parseForm({ headers }: IncomingMessage): TextForm {
  const [type, ...parameters] = (headers['content-type'] ?? '').split(';').map((text) => text.trim().toLowerCase())
  const isUtf8 = parameters.every((text) => !text.startsWith('charset=') || /^charset="?utf-8"?$/.test(text))
  const isPlain = (headers['content-encoding'] ?? 'identity') === 'identity'
  if (isUtf8 && isPlain && type === BODY_TYPE.json) return 'json'
  if (isUtf8 && isPlain && type === BODY_TYPE.devalue) return 'devalue'
  const known = `${BODY_TYPE.json} or ${BODY_TYPE.devalue}, in UTF-8 and not compressed`
  throw new Refusal(415, `The content type must be ${known}, not "${headers['content-type'] ?? 'nothing'}".`)
}
