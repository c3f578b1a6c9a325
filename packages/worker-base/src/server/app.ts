import { H3, HTTPError } from 'h3'
import type { H3Event } from 'h3'

import { BODY_TYPE, answerHttpCall } from './http-call.ts'
import type { BodyFormat, HttpCallServices } from './http-call.ts'
import type { TokenCheck } from './token.ts'
import type { WorkerStatus } from './status.ts'

export interface AppOptions {
  readonly services: HttpCallServices
  readonly status: WorkerStatus
  readonly isAllowed: TokenCheck
  readonly maxBodyBytes: number
}

const CALL_PATH = '/call/'

/**
 * What the worker answers to plain HTTP: `GET /health` and `GET /ready` for probes, `POST /call/<lift id>` for people,
 * who may come through a proxy that puts a prefix before the path.
 */
export function createApp(options: AppOptions): H3 {
  const app = new H3()
  app.get('/health', () => 'ok')
  app.get('/ready', (event) => {
    const { status } = options
    if (status.kind !== 'ready') event.res.status = 503
    return status.kind === 'failed' ? { status: status.kind, error: status.message } : { status: status.kind }
  })
  app.post('/**', (event) => call(event, options))
  return app
}

async function call(event: H3Event, options: AppOptions): Promise<Response> {
  const { services, status, isAllowed, maxBodyBytes } = options
  if (!isAllowed(event.req.headers.get('authorization'))) {
    throw new HTTPError({
      status: 401,
      message: 'The token is missing or wrong: send "Authorization: Bearer <token>".',
    })
  }
  const ids = status.kind === 'ready' ? status.ids : undefined
  const liftId = parseLiftId(event.url.pathname, ids)
  if (liftId === undefined) throw new HTTPError({ status: 404, message: 'Calls go to "/call/<lift id>".' })
  if (ids !== undefined && !ids.includes(liftId)) {
    throw new HTTPError({ status: 404, message: `There is no lifted function "${liftId}".`, data: { known: ids } })
  }
  const format = parseFormat(event.req.headers.get('content-type'))
  const body = await readBody(event.req, maxBodyBytes)
  return answerHttpCall(services, { liftId, format, body, signal: event.req.signal })
}

/** What follows `/call/`: a prefix and the lift id, which is a path itself, may have a `/call/` of their own. */
function parseLiftId(pathname: string, ids: readonly string[] | undefined): string | undefined {
  const rests = pathname.split(CALL_PATH).map((_, index, parts) => parts.slice(index + 1).join(CALL_PATH))
  const candidates = rests.slice(0, -1).map(decode)
  return candidates.find((candidate) => ids?.includes(candidate)) ?? candidates[0]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new HTTPError({ status: 400, message: 'The path is not a valid percent-encoded lift id.' })
  }
}

function parseFormat(contentType: string | null): BodyFormat {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  if (type === BODY_TYPE.json) return 'json'
  if (type === BODY_TYPE.devalue) return 'devalue'
  const known = `${BODY_TYPE.json} or ${BODY_TYPE.devalue}`
  throw new HTTPError({ status: 415, message: `The content type must be ${known}, not "${contentType ?? 'nothing'}".` })
}

/** @throws HTTPError 413, at the latest when that many bytes have come */
async function readBody(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = new HTTPError({ status: 413, message: `The body is larger than ${maxBytes} bytes.` })
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
