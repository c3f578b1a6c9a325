import { ConfigError } from '../errors.ts'

/** An image, or a repository, as registries address it. */
export interface ImageReference {
  /** `host` or `host:port`; `docker.io` where none was written. */
  readonly registry: string
  readonly repository: string
  /** Tag, or `sha256:…`. */
  readonly reference: string
}

const HOST = /^(localhost|(?=.*[.:])[\w[][\w.:[\]-]*)$/

/**
 * Reads `[host[:port]/]repository[:tag][@digest]`; a digest wins over a tag, as in every container runtime.
 * @throws ConfigError `IMAGE_REFERENCE_INVALID`
 * @see https://github.com/distribution/reference
 */
export function parseImageReference(text: string): ImageReference {
  const match = /^(?<name>[^@]+?)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/.exec(text)
  const name = match?.groups?.['name']
  if (name === undefined) throw invalidReference(text)
  const [registry, path] = splitHost(name)
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path
  if (!/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(repository)) throw invalidReference(text)
  return { registry, repository, reference: match?.groups?.['digest'] ?? match?.groups?.['tag'] ?? 'latest' }
}

/** Splits `host[:port][/path]`; without a host the registry is Docker Hub. */
export function splitHost(name: string): readonly [registry: string, path: string] {
  const slash = name.indexOf('/')
  const first = slash === -1 ? name : name.slice(0, slash)
  if (slash === -1 || !HOST.test(first)) return ['docker.io', name]
  return [first, name.slice(slash + 1)]
}

/** Host that answers the HTTP API: Docker Hub's images are served by another one than they are named by. */
export function toApiHost(registry: string): string {
  return registry === 'docker.io' ? 'registry-1.docker.io' : registry
}

/** Loopback registries are taken to speak plain HTTP, as container runtimes do. */
export function isLoopback(registry: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(registry)
}

function invalidReference(text: string): ConfigError {
  return new ConfigError('IMAGE_REFERENCE_INVALID', {
    what: `"${text}" is not an image reference.`,
    why: 'A reference is [host[:port]/]repository[:tag][@sha256:digest], with a lower-case repository.',
    fix: 'Correct the image name in the options or in its TURBOLIFT_ variable.',
  })
}
