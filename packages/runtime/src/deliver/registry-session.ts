import type { BuildError } from '../errors.ts'
import { pushDenied, registryRefused } from './build-errors.ts'
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
    const { response, url } = await this.#authorised(call)
    if (expected.includes(response.status)) return response
    const text = call.method === 'HEAD' ? '' : (await readBody(response)).toString().slice(0, 500)
    throw toRefusal(call.method, url, response.status, text)
  }

  /** Sends with what is known, and once more with what the registry asks for. */
  async #authorised(call: RegistryCall): Promise<Answer> {
    const first = await this.#follow(call, this.#tokens.get(call.scope))
    // What another host asks for, to which the registry has sent us, is not its to ask.
    const isAsked = first.response.status === 401 && this.#isOwn(first.url)
    const challenge = isAsked ? parseChallenge(first.response.headers['www-authenticate']) : undefined
    const authorization = challenge === undefined ? undefined : await this.#answer(challenge, call)
    // A body that was streamed is spent; callers ask for something small with the same scope first.
    if (authorization === undefined || (call.body !== undefined && !(call.body instanceof Uint8Array))) return first
    first.response.body.resume()
    this.#tokens.set(call.scope, authorization)
    return this.#follow(call, authorization)
  }

  #isOwn(url: URL): boolean {
    return url.origin === this.origin
  }

  async #follow(call: RegistryCall, authorization: string | undefined): Promise<Answer> {
    let url = new URL(call.path, this.origin)
    for (let hops = 0; ; hops += 1) {
      const isOwn = this.#isOwn(url)
      const headers = { ...call.headers, ...(isOwn && authorization !== undefined ? { authorization } : {}) }
      const response = await sendHttp({ ...call, url, headers }, isOwn ? this.#options : {})
      const { location } = response.headers
      const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && location !== undefined
      if (!isRedirect || hops === MAX_REDIRECTS || call.method === 'PUT' || call.method === 'POST')
        return { response, url }
      response.body.resume()
      url = new URL(location, url)
    }
  }

  async #answer(challenge: Challenge, { scope, signal }: RegistryCall): Promise<string | undefined> {
    const { credentials, isInsecure, host } = this.#options
    const basic = credentials === undefined ? undefined : toBasicHeader(credentials)
    if (challenge.scheme === 'basic' || challenge.realm === '') return basic
    const url = new URL(challenge.realm, this.origin)
    // Whoever listens on the way would have the login that TLS was to keep.
    if (basic !== undefined && !isInsecure && url.protocol !== 'https:')
      throw pushDenied(`The registry ${host} asks for the login at ${url.origin}, which has no TLS; it was not sent.`)
    if (challenge.service !== undefined) url.searchParams.set('service', challenge.service)
    for (const one of (scope || (challenge.scope ?? '')).split(' ').filter(Boolean))
      url.searchParams.append('scope', one)
    const headers: Record<string, string> = basic === undefined ? {} : { authorization: basic }
    const route = this.#isOwn(url) ? this.#options : toRoute(this.#options.ca)
    const response = await sendHttp({ method: 'GET', url, headers, signal }, route)
    const text = (await readBody(response)).toString()
    const token = response.status === 200 ? parseToken(text) : undefined
    if (token === undefined) throw toRefusal('GET', url, response.status, text.slice(0, 500))
    return `Bearer ${token}`
  }
}

interface Answer {
  readonly response: HttpResponse
  /** Where it came from, after redirects. */
  readonly url: URL
}

/** Names the host that refused, which may be another one than the registry. */
function toRefusal(method: string, { host, pathname }: URL, status: number, text: string): BuildError {
  return registryRefused({ host, method, path: pathname, status, text })
}

/** `undefined`: what should issue tokens answered with something else. */
function parseToken(text: string): string | undefined {
  try {
    const json: unknown = JSON.parse(text)
    if (typeof json !== 'object' || json === null) return undefined
    if ('token' in json && typeof json.token === 'string') return json.token
    return 'access_token' in json && typeof json.access_token === 'string' ? json.access_token : undefined
  } catch {
    // A page of a proxy, for example: the caller shows its text.
    return undefined
  }
}

/** Another host is dialled by its name, but may belong to the same private authority. */
function toRoute(ca: string | undefined): RegistryRoute {
  return ca === undefined ? {} : { ca }
}
