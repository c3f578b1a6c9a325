import { registryRefused } from './build-errors.ts'
import { type Challenge, type Credentials, parseChallenge, toBasicHeader } from './registry-auth.ts'
import { type HttpRequest, type HttpResponse, type RegistryRoute, readBody, sendHttp } from './registry-http.ts'

export interface RegistryOptions extends RegistryRoute {
  /** `host` or `host:port`. */
  readonly host: string
  readonly isInsecure: boolean
  readonly credentials: Credentials | undefined
}

export type RegistryCall = Omit<HttpRequest, 'url'> & {
  /** Path on the registry, or a whole URL where the registry sent us elsewhere. */
  readonly path: string
  /** What a token must allow, as token services write it. */
  readonly scope: string
}

const MAX_REDIRECTS = 5

/** Requests to one registry: answers its challenges, keeps its tokens, follows where blobs are stored elsewhere. */
export class RegistrySession {
  readonly origin: string
  readonly #options: RegistryOptions
  readonly #tokens = new Map<string, string>()

  constructor(options: RegistryOptions) {
    this.#options = options
    this.origin = `${options.isInsecure ? 'http' : 'https'}://${options.host}`
  }

  /** As `send`, for answers whose body says nothing. */
  async drain(call: RegistryCall, expected: readonly number[]): Promise<HttpResponse> {
    const response = await this.send(call, expected)
    response.body.resume()
    return response
  }

  /** @throws BuildError `REGISTRY_UNREACHABLE`, `PUSH_DENIED`, `IMAGE_NOT_FOUND`, `REGISTRY_REFUSED` for a status that is not expected */
  async send(call: RegistryCall, expected: readonly number[]): Promise<HttpResponse> {
    const response = await this.#authorised(call)
    if (expected.includes(response.status)) return response
    const text = call.method === 'HEAD' ? '' : (await readBody(response)).toString().slice(0, 500)
    throw registryRefused({
      host: this.#options.host,
      method: call.method,
      path: call.path,
      status: response.status,
      text,
    })
  }

  /** Sends with what is known, and once more with what the registry asks for. */
  async #authorised(call: RegistryCall): Promise<HttpResponse> {
    const first = await this.#follow(call, this.#tokens.get(call.scope))
    const challenge = first.status === 401 ? parseChallenge(first.headers['www-authenticate']) : undefined
    const authorization = challenge === undefined ? undefined : await this.#answer(challenge, call)
    // A body that was streamed is spent; callers ask for something small with the same scope first.
    if (authorization === undefined || (call.body !== undefined && !(call.body instanceof Uint8Array))) return first
    first.body.resume()
    this.#tokens.set(call.scope, authorization)
    return this.#follow(call, authorization)
  }

  async #follow(call: RegistryCall, authorization: string | undefined): Promise<HttpResponse> {
    let url = new URL(call.path, this.origin)
    for (let hops = 0; ; hops += 1) {
      const isOwn = url.origin === this.origin
      const headers = { ...call.headers, ...(isOwn && authorization !== undefined ? { authorization } : {}) }
      const response = await sendHttp({ ...call, url, headers }, isOwn ? this.#options : {})
      const { location } = response.headers
      const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && location !== undefined
      if (!isRedirect || hops === MAX_REDIRECTS || call.method === 'PUT' || call.method === 'POST') return response
      response.body.resume()
      url = new URL(location, url)
    }
  }

  async #answer(challenge: Challenge, { scope, signal }: RegistryCall): Promise<string | undefined> {
    const { credentials } = this.#options
    const basic = credentials === undefined ? undefined : toBasicHeader(credentials)
    if (challenge.scheme === 'basic' || challenge.realm === '') return basic
    const url = new URL(challenge.realm)
    if (challenge.service !== undefined) url.searchParams.set('service', challenge.service)
    for (const one of (scope || (challenge.scope ?? '')).split(' ').filter(Boolean))
      url.searchParams.append('scope', one)
    const headers: Record<string, string> = basic === undefined ? {} : { authorization: basic }
    const route = url.origin === this.origin ? this.#options : toRoute(this.#options.ca)
    const response = await sendHttp({ method: 'GET', url, headers, signal }, route)
    const text = (await readBody(response)).toString()
    if (response.status !== 200)
      throw registryRefused({
        host: this.#options.host,
        method: 'GET',
        path: url.pathname,
        status: response.status,
        text,
      })
    return `Bearer ${parseToken(text)}`
  }
}

function parseToken(text: string): string {
  const json: unknown = JSON.parse(text)
  if (typeof json === 'object' && json !== null) {
    if ('token' in json && typeof json.token === 'string') return json.token
    if ('access_token' in json && typeof json.access_token === 'string') return json.access_token
  }
  throw new TypeError('The token service answered without a token.')
}

/** Another host is dialled by its name, but may belong to the same private authority. */
function toRoute(ca: string | undefined): RegistryRoute {
  return ca === undefined ? {} : { ca }
}
