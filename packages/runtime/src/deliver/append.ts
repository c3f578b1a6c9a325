import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { BuildError } from '../errors.ts'
import { registryUnreachable } from './build-errors.ts'
import { packArchive } from './archive.ts'
import { IMAGE_FOLDER, IMAGE_USER, type ImageContext } from './context.ts'
import { parseImageReference } from './image-reference.ts'
import { type Manifest, type Registry, toDigest } from './registry.ts'

export interface AppendRequest {
  readonly context: ImageContext
  readonly baseImage: string
  readonly architecture: string
  /** Registry of the base image. */
  readonly source: Registry
  /** Registry that takes the new image. */
  readonly target: Registry
  /** Repository and tag of the new image in `target`. */
  readonly repository: string
  readonly tag: string
  readonly signal: AbortSignal
}

interface Descriptor {
  readonly mediaType: string
  readonly size: number
  readonly digest: string
}

type Json = Readonly<Record<string, unknown>>

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

/**
 * Puts the worker files as one layer on a base image, through the registry's HTTP API alone: no build pod, no root.
 * The same files on the same base give the same digest.
 * @returns the digest of the new image's manifest
 * @throws BuildError `IMAGE_NOT_FOUND`, `BASE_IMAGE_UNSUITABLE`, `PUSH_DENIED`, `REGISTRY_UNREACHABLE`, `REGISTRY_REFUSED`
 */
export async function appendLayer(request: AppendRequest): Promise<string> {
  const { context, target, repository, signal } = request
  const base = await readBase(request)
  const layer = await packLayer(context)
  await copyLayers(base.layers, request)
  const config = Buffer.from(JSON.stringify(toConfig(base.config, layer.diffId)))
  await putBlob(target, repository, layer.bytes, signal)
  await putBlob(target, repository, config, signal)
  const isDocker = base.mediaType === DOCKER_MANIFEST
  const manifest = {
    schemaVersion: 2,
    mediaType: base.mediaType,
    config: {
      mediaType: isDocker
        ? 'application/vnd.docker.container.image.v1+json'
        : 'application/vnd.oci.image.config.v1+json',
      size: config.length,
      digest: toDigest(config),
    },
    layers: [
      ...base.layers,
      {
        mediaType: isDocker
          ? 'application/vnd.docker.image.rootfs.diff.tar.gzip'
          : 'application/vnd.oci.image.layer.v1.tar+gzip',
        size: layer.bytes.length,
        digest: toDigest(layer.bytes),
      },
    ],
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  return target.putManifest(repository, request.tag, { mediaType: base.mediaType, bytes }, { signal })
}

interface BaseImage {
  readonly mediaType: string
  readonly config: Json
  readonly layers: readonly Descriptor[]
}

async function readBase({ baseImage, architecture, source, signal }: AppendRequest): Promise<BaseImage> {
  const { repository, reference } = parseImageReference(baseImage)
  const manifest = await resolvePlatform(await source.getManifest(repository, reference, { signal }), {
    baseImage,
    architecture,
    source,
    signal,
  })
  const json = parseJson(manifest.bytes)
  const config = parseDescriptor(json['config'])
  const layers = toList(json['layers']).map(parseDescriptor)
  if (config === undefined || layers.includes(undefined))
    throw unsuitableBase(baseImage, 'its manifest is in a format that is not known')
  const blob = await source.readBlob(repository, config.digest, { signal })
  return {
    mediaType: manifest.mediaType === DOCKER_MANIFEST ? DOCKER_MANIFEST : OCI_MANIFEST,
    config: parseJson(blob),
    layers: layers.filter((layer) => layer !== undefined),
  }
}

type PlatformRequest = Pick<AppendRequest, 'baseImage' | 'architecture' | 'source' | 'signal'>

/** An index names one manifest for each platform. */
async function resolvePlatform(manifest: Manifest, request: PlatformRequest): Promise<Manifest> {
  const { baseImage, architecture, source, signal } = request
  const json = parseJson(manifest.bytes)
  if (json['manifests'] === undefined) return manifest
  const entry = toList(json['manifests'])
    .map(toRecord)
    .find(({ platform }) => toRecord(platform)['os'] === 'linux' && toRecord(platform)['architecture'] === architecture)
  if (typeof entry?.['digest'] !== 'string')
    throw unsuitableBase(baseImage, `it has no variant for linux/${architecture}`)
  return source.getManifest(parseImageReference(baseImage).repository, entry['digest'], { signal })
}

/** Layers of the base are mounted where one registry holds both, and copied otherwise, once. */
async function copyLayers(
  layers: readonly Descriptor[],
  { baseImage, source, target, repository, signal }: AppendRequest,
): Promise<void> {
  const from = parseImageReference(baseImage).repository
  await Promise.all(
    layers.map(async ({ digest, size }) => {
      if (await target.hasBlob(repository, digest, { signal })) return
      if (source.host === target.host && (await target.mountBlob(repository, digest, from, { signal }))) return
      const stream = await source.getBlob(from, digest, { signal })
      try {
        await target.uploadBlob(repository, digest, { stream, size }, { signal })
      } catch (error) {
        signal.throwIfAborted()
        throw isCutOff(stream) ? registryUnreachable(source.host, stream.errored) : error
      }
    }),
  )
}

/** By its own connection: a stream whose reader has failed has the reader's error. */
function isCutOff({ errored }: Readable): boolean {
  return errored?.message === 'aborted'
}

async function packLayer({ files }: ImageContext): Promise<{ readonly bytes: Buffer; readonly diffId: string }> {
  const folder = IMAGE_FOLDER.slice(1)
  const archive = packArchive(files.map(({ name, data }) => ({ name: `${folder}/${name}`, data })))
  return {
    bytes: await promisify(gzip)(archive),
    diffId: `sha256:${createHash('sha256').update(archive).digest('hex')}`,
  }
}

function toConfig(base: Json, diffId: string): Json {
  const rootfs = toRecord(base['rootfs'])
  return {
    ...base,
    // The time of the base: one more time would give each build another digest.
    config: {
      ...toRecord(base['config']),
      User: IMAGE_USER,
      Cmd: ['node', `${IMAGE_FOLDER}/worker.js`],
      Entrypoint: null,
    },
    rootfs: { ...rootfs, diff_ids: [...toList(rootfs['diff_ids']), diffId] },
    history: [...toList(base['history']), { created: base['created'], created_by: `COPY files ${IMAGE_FOLDER}` }],
  }
}

async function putBlob(registry: Registry, repository: string, bytes: Buffer, signal: AbortSignal): Promise<void> {
  const digest = toDigest(bytes)
  if (!(await registry.hasBlob(repository, digest, { signal })))
    await registry.uploadBlob(repository, digest, bytes, { signal })
}

function parseJson(bytes: Buffer): Json {
  try {
    return toRecord(JSON.parse(bytes.toString()))
  } catch {
    // A page of a proxy, for example; that it is no manifest is seen by what it lacks.
    return {}
  }
}

function parseDescriptor(value: unknown): Descriptor | undefined {
  const { mediaType, size, digest } = toRecord(value)
  if (typeof mediaType !== 'string' || typeof size !== 'number' || typeof digest !== 'string') return undefined
  return { mediaType, size, digest }
}

function toRecord(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function unsuitableBase(image: string, reason: string): BuildError {
  return new BuildError('BASE_IMAGE_UNSUITABLE', {
    what: `The base image ${image} cannot be used: ${reason}.`,
    why: "The layer of worker files goes on top of an image for the nodes' platform.",
    fix: 'Choose another `kubernetes.image.baseImage`, or set `kubernetes.image.architecture` to that of the nodes.',
  })
}
