import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { dockerConfigInvalid } from './build-errors.ts'

/** Name of Docker Hub in credentials, for reasons of history. */
const DOCKER_HUB = 'https://index.docker.io/v1/'

export interface Credentials {
  readonly username: string
  readonly password: string
}

/** What a registry wants before it answers, from its `WWW-Authenticate` header. */
export interface Challenge {
  readonly scheme: 'basic' | 'bearer'
  readonly realm: string
  readonly service: string | undefined
  readonly scope: string | undefined
}

/** Reads the header of a 401 answer; `undefined` for schemes that nobody uses with registries. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const scheme = header?.trim().split(/\s+/, 1)[0]?.toLowerCase()
  if (header === undefined || (scheme !== 'basic' && scheme !== 'bearer')) return undefined
  const fields = Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]))
  return { scheme, realm: fields['realm'] ?? '', service: fields['service'], scope: fields['scope'] }
}

export function toBasicHeader({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/**
 * Credentials of this machine for a registry, from a Docker configuration: `auths`, or the credential helper that
 * it names. `undefined` where there are none.
 * @throws BuildError `DOCKER_CONFIG_INVALID` when a configuration that was named cannot be used
 */
export async function findCredentials(registry: string, path?: string): Promise<Credentials | undefined> {
  const file = path ?? defaultFile()
  if (file === undefined) return undefined
  const config = await readConfig(file, { isRequired: path !== undefined })
  const keys = registry === 'docker.io' ? [DOCKER_HUB, 'docker.io'] : [registry, `https://${registry}`]
  for (const key of keys) {
    const helper = config.credHelpers[key] ?? (key in config.auths ? config.credsStore : undefined)
    const found = parseAuth(config.auths[key]) ?? (helper === undefined ? undefined : await askHelper(helper, key))
    if (found !== undefined) return found
  }
  return undefined
}

/** `undefined`: a user without a home, as those of containers may be. */
function defaultFile(): string | undefined {
  const named = process.env['DOCKER_CONFIG']
  if (named !== undefined) return join(named, 'config.json')
  try {
    return join(homedir(), '.docker', 'config.json')
  } catch {
    return undefined
  }
}

/** The Docker configuration that holds these credentials and nothing else; goes into Secrets. */
export function toDockerConfig(registry: string, credentials: Credentials): string {
  const { username, password } = credentials
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  const key = registry === 'docker.io' ? DOCKER_HUB : registry
  return JSON.stringify({ auths: { [key]: { username, password, auth } } })
}

interface DockerConfig {
  readonly auths: Readonly<Record<string, unknown>>
  readonly credHelpers: Readonly<Record<string, string>>
  readonly credsStore: string | undefined
}

async function readConfig(file: string, { isRequired }: { readonly isRequired: boolean }): Promise<DockerConfig> {
  try {
    return parseConfig(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (isMissing && !isRequired) return { auths: {}, credHelpers: {}, credsStore: undefined }
    throw dockerConfigInvalid(file, error)
  }
}

function parseConfig(json: unknown): DockerConfig {
  const config = toRecord(json)
  const helpers = Object.entries(toRecord(config['credHelpers'])).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  const store = config['credsStore']
  return {
    auths: toRecord(config['auths']),
    credHelpers: Object.fromEntries(helpers),
    credsStore: typeof store === 'string' ? store : undefined,
  }
}

function parseAuth(entry: unknown): Credentials | undefined {
  const { username, password, auth } = toRecord(entry)
  if (typeof username === 'string' && typeof password === 'string') return { username, password }
  if (typeof auth !== 'string' || auth === '') return undefined
  const text = Buffer.from(auth, 'base64').toString()
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** @see https://github.com/docker/docker-credential-helpers */
async function askHelper(helper: string, registry: string): Promise<Credentials | undefined> {
  if (!/^[\w-]+$/.test(helper)) return undefined
  const running = promisify(execFile)(`docker-credential-${helper}`, ['get'])
  running.child.stdin?.end(registry)
  try {
    const { Username: username, Secret: password } = toRecord(JSON.parse((await running).stdout))
    return typeof username === 'string' && typeof password === 'string' ? { username, password } : undefined
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && String(error.stdout).includes('credentials not found'))
      return undefined
    throw dockerConfigInvalid(`docker-credential-${helper}`, error)
  }
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
