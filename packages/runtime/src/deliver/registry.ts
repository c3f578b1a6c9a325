import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'

import { digestWrong } from './build-errors.ts'
import { type HttpRequest, type HttpResponse, readBody } from './registry-http.ts'
import { type RegistryOptions, RegistrySession } from './registry-session.ts'

export interface Manifest {
  readonly mediaType: string
  readonly digest: string
  readonly bytes: Buffer
}

const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ')

/**
 * The part of a registry's HTTP API that building, finding and removing images needs.
 * All methods throw BuildError `REGISTRY_UNREACHABLE`, `PUSH_DENIED` (401, 403) or `REGISTRY_REFUSED` (anything else).
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export class Registry {
  readonly host: string
  readonly #session: RegistrySession

  constructor(options: RegistryOptions) {
    this.host = options.host
    this.#session = new RegistrySession(options)
  }

  /** Whether the registry answers at all, and lets these credentials in. */
  async ping(options: { readonly signal: AbortSignal }): Promise<void> {
    await this.#session.drain({ method: 'GET', path: '/v2/', scope: '', ...options }, [200])
  }

  /** Digest of a manifest, or `undefined` when the registry does not have it. */
  async findManifest(
    repository: string,
    reference: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<string | undefined> {
    const path = `/v2/${repository}/manifests/${reference}`
    const headers = { accept: MANIFEST_TYPES }
    const response = await this.#session.drain(
      { method: 'HEAD', path, headers, scope: pull(repository), signal },
      [200, 404],
    )
    const digest = response.headers['docker-content-digest']
    if (response.status === 404) return undefined
    // The header is optional in the specification; the manifest itself always tells.
    return typeof digest === 'string' ? digest : (await this.getManifest(repository, reference, { signal })).digest
  }

  async getManifest(
    repository: string,
    reference: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Manifest> {
    const path = `/v2/${repository}/manifests/${reference}`
    const headers = { accept: MANIFEST_TYPES }
    const response = await this.#session.send({ method: 'GET', path, headers, scope: pull(repository), signal }, [200])
    const bytes = await readBody(response)
    this.#checkDigest(repository, reference, bytes)
    return { mediaType: response.headers['content-type'] ?? '', digest: toDigest(bytes), bytes }
  }

  async putManifest(
    repository: string,
    reference: string,
    manifest: Omit<Manifest, 'digest'>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<string> {
    const path = `/v2/${repository}/manifests/${reference}`
    const headers = { 'content-type': manifest.mediaType }
    await this.#session.drain(
      { method: 'PUT', path, headers, body: manifest.bytes, scope: push(repository), signal },
      [201],
    )
    return toDigest(manifest.bytes)
  }

  /** Removes a manifest; registries free its blobs when they next collect garbage. */
  async deleteManifest(
    repository: string,
    digest: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    const path = `/v2/${repository}/manifests/${digest}`
    await this.#session.drain({ method: 'DELETE', path, scope: `repository:${repository}:delete`, signal }, [202, 404])
  }

  /** Tags of a repository; none where there is no such repository. */
  async listTags(repository: string, { signal }: { readonly signal: AbortSignal }): Promise<readonly string[]> {
    const response = await this.#session.send(
      { method: 'GET', path: `/v2/${repository}/tags/list`, scope: pull(repository), signal },
      [200, 404],
    )
    return response.status === 404 ? drop(response) : parseNames(await readBody(response), 'tags')
  }

  /** Repositories of the registry. Large public registries refuse this. */
  async listRepositories({ signal }: { readonly signal: AbortSignal }): Promise<readonly string[]> {
    const response = await this.#session.send(
      { method: 'GET', path: '/v2/_catalog?n=1000', scope: 'registry:catalog:*', signal },
      [200],
    )
    return parseNames(await readBody(response), 'repositories')
  }

  async hasBlob(repository: string, digest: string, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    const path = `/v2/${repository}/blobs/${digest}`
    const response = await this.#session.drain({ method: 'HEAD', path, scope: pull(repository), signal }, [200, 404])
    return response.status === 200
  }

  async getBlob(repository: string, digest: string, { signal }: { readonly signal: AbortSignal }): Promise<Readable> {
    const path = `/v2/${repository}/blobs/${digest}`
    return (await this.#session.send({ method: 'GET', path, scope: pull(repository), signal }, [200])).body
  }

  /** A small blob, as a whole. */
  async readBlob(repository: string, digest: string, options: { readonly signal: AbortSignal }): Promise<Buffer> {
    const path = `/v2/${repository}/blobs/${digest}`
    const bytes = await readBody(
      await this.#session.send({ method: 'GET', path, scope: pull(repository), ...options }, [200]),
    )
    this.#checkDigest(repository, digest, bytes)
    return bytes
  }

  // A name by digest is a promise of content; whoever answers with another has broken it, or somebody in between.
  #checkDigest(repository: string, reference: string, bytes: Buffer): void {
    if (reference.startsWith('sha256:') && toDigest(bytes) !== reference)
      throw digestWrong(`${this.host}/${repository}@${reference}`, toDigest(bytes))
  }

  /**
   * Makes a blob of one repository part of another without moving its bytes.
   * @returns whether the registry did so; it may decline, and then the bytes must be uploaded
   */
  async mountBlob(
    repository: string,
    digest: string,
    from: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<boolean> {
    const path = `/v2/${repository}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`
    const response = await this.#session.drain(
      { method: 'POST', path, scope: `${push(repository)} ${pull(from)}`, signal },
      [201, 202],
    )
    return response.status === 201
  }

  /** Uploads in one request: registries check the digest, so a cut upload is never taken for a whole one. */
  async uploadBlob(
    repository: string,
    digest: string,
    body: NonNullable<HttpRequest['body']>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    const scope = push(repository)
    const start = await this.#session.drain(
      { method: 'POST', path: `/v2/${repository}/blobs/uploads/`, scope, signal },
      [202],
    )
    const location = new URL(start.headers.location ?? '', this.#session.origin)
    location.searchParams.set('digest', digest)
    const path = location.origin === this.#session.origin ? location.pathname + location.search : location.href
    const headers = { 'content-type': 'application/octet-stream' }
    await this.#session.drain({ method: 'PUT', path, headers, body, scope, signal }, [201])
  }
}

export function toDigest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function pull(repository: string): string {
  return `repository:${repository}:pull`
}

function push(repository: string): string {
  return `repository:${repository}:pull,push`
}

function drop(response: HttpResponse): readonly string[] {
  response.body.resume()
  return []
}

function parseNames(bytes: Buffer, field: string): readonly string[] {
  const json: unknown = JSON.parse(bytes.toString())
  const names: unknown =
    typeof json === 'object' && json !== null ? Object.entries(json).find(([key]) => key === field)?.[1] : undefined
  return Array.isArray(names) ? names.filter((name): name is string => typeof name === 'string') : []
}
