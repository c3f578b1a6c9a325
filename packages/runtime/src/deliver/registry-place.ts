import { readFile } from 'node:fs/promises'

import { ConfigError } from '../errors.ts'
import { isLoopback, splitHost, toApiHost } from './image-reference.ts'
import type { RegistryInput } from './options.ts'
import { findCredentials } from './registry-auth.ts'
import type { Credentials } from './registry-auth.ts'
import type { RegistryRoute } from './registry-http.ts'
import type { AnnouncedRegistry } from './registry-discovery.ts'
import { Registry } from './registry.ts'

/** A registry by the names that each side has for it (`host[:port][/path]`), and how each is let in. */
export interface RegistryPlace {
  /** For the build pod. */
  readonly push: string
  /** Whether no pod reaches it, so that only this program can push. */
  readonly isForProgramOnly: boolean
  /** Whether it outlives the run, so that images of earlier runs may be there. */
  readonly isLasting: boolean
  /** For the nodes. */
  readonly pull: string
  /** For this program. */
  readonly host: string
  readonly isInsecure: boolean
  /** Certificates of a private authority, PEM. */
  readonly ca: string | undefined
  readonly credentials: Credentials | undefined
  /** Whether the build pod and the nodes may have these credentials too. */
  readonly sharesCredentials: boolean
  readonly pushSecret: string | undefined
  readonly pullSecret: string | undefined
  readonly dial?: RegistryRoute['dial']
}

/**
 * @throws ConfigError `REGISTRY_CA_UNREADABLE`; BuildError `DOCKER_CONFIG_INVALID`
 */
export async function toRegistryPlace(input: string | RegistryInput): Promise<RegistryPlace> {
  const options: RegistryInput = typeof input === 'string' ? { push: input } : input
  const host = options.host ?? options.push
  return {
    push: options.push,
    isForProgramOnly: false,
    isLasting: true,
    pull: options.pull ?? options.push,
    host,
    isInsecure: options.insecure ?? isLoopback(toHost(host)),
    ca: options.caFile === undefined ? undefined : await readCertificates(options.caFile),
    credentials: await findCredentials(toHost(host), options.dockerConfig),
    sharesCredentials: options.shareCredentials ?? false,
    pushSecret: options.pushSecret,
    pullSecret: options.pullSecret ?? options.pushSecret,
  }
}

/** The registry that a cluster's own tool announces; these are for development on one machine and speak plain HTTP. */
export async function toAnnouncedPlace({ host, pull, push }: AnnouncedRegistry): Promise<RegistryPlace> {
  const place = await toRegistryPlace({ host, pull, push: push ?? host, insecure: true })
  return { ...place, isForProgramOnly: push === undefined }
}

/** Registry client of this program for the place. */
export function toRegistry(place: RegistryPlace): Registry {
  return new Registry({
    host: toApiHost(toHost(place.host)),
    isInsecure: place.isInsecure,
    credentials: place.credentials,
    ...(place.ca === undefined ? {} : { ca: place.ca }),
    ...(place.dial === undefined ? {} : { dial: place.dial }),
  })
}

/** `host[:port]` of a name with a path. */
export function toHost(name: string): string {
  return splitHost(`${name}/x`)[0]
}

/** Repository for a program below the path that the name may have: `team/turbolift-<program>`. */
export function toRepository(name: string, program: string): string {
  const path = splitHost(`${name}/x`)[1].slice(0, -1)
  const slug = program
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  return `${path}turbolift-${slug === '' ? 'program' : slug}`
}

async function readCertificates(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(
      'REGISTRY_CA_UNREADABLE',
      {
        what: `The certificates in "${file}" cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
        why: '`kubernetes.image.registry.caFile` names them, so the registry is not trusted without them.',
        fix: 'Correct the path; it must be a PEM file that this program may read.',
      },
      { cause },
    )
  }
}
