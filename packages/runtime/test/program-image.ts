import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'

import { parseImageReference } from '../src/deliver/image-reference.ts'
import { Registry, toDigest } from '../src/deliver/registry.ts'
import { BASE_IMAGE, REGISTRY } from './build-site.ts'

const { signal } = new AbortController()
const registry = new Registry({ host: REGISTRY, isInsecure: true, credentials: undefined })

/** Puts files of this machine, executable, on the base image, as root would have with a Dockerfile. @returns the image */
export async function makeProgramImage(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const { repository, reference } = parseImageReference(BASE_IMAGE)
  const base = toRecord(JSON.parse((await registry.getManifest(repository, reference, { signal })).bytes.toString()))
  const layers = Array.isArray(base['layers']) ? base['layers'].map(toRecord) : []
  for (const layer of layers) await registry.mountBlob(name, String(layer['digest']), repository, { signal })
  const archive = packFolder(files)
  const layer = await put(name, gzipSync(archive))
  const config = await put(name, Buffer.from(JSON.stringify(await toConfig(repository, base, archive))))
  const { mediaType } = layers[0] ?? {}
  const bytes = Buffer.from(
    JSON.stringify({
      ...base,
      config: { ...toRecord(base['config']), ...config },
      layers: [...layers, { mediaType, ...layer }],
    }),
  )
  const digest = await registry.putManifest(name, 'test', { mediaType: String(base['mediaType']), bytes }, { signal })
  return `${REGISTRY}/${name}@${digest}`
}

function packFolder(files: Readonly<Record<string, string>>): Buffer {
  const root = mkdtempSync(join(tmpdir(), 'turbolift-image-'))
  for (const [to, from] of Object.entries(files)) {
    mkdirSync(join(root, dirname(to)), { recursive: true })
    cpSync(from, join(root, to), { recursive: true, dereference: true })
    if (statSync(from).isFile()) chmodSync(join(root, to), 0o755)
  }
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--sort=name']
  const archive = execFileSync('tar', [...owner, '-C', root, '-c', '.'], { maxBuffer: 512 * 1024 * 1024 })
  rmSync(root, { recursive: true })
  return archive
}

async function put(name: string, bytes: Buffer): Promise<{ readonly digest: string; readonly size: number }> {
  const digest = toDigest(bytes)
  if (!(await registry.hasBlob(name, digest, { signal }))) await registry.uploadBlob(name, digest, bytes, { signal })
  return { digest, size: bytes.length }
}

async function toConfig(
  repository: string,
  base: Readonly<Record<string, unknown>>,
  archive: Buffer,
): Promise<unknown> {
  const digest = String(toRecord(base['config'])['digest'])
  const config = toRecord(JSON.parse((await buffer(await registry.getBlob(repository, digest, { signal }))).toString()))
  const rootfs = toRecord(config['rootfs'])
  const diffIds = Array.isArray(rootfs['diff_ids']) ? rootfs['diff_ids'] : []
  const diffId = `sha256:${createHash('sha256').update(archive).digest('hex')}`
  const history = Array.isArray(config['history']) ? config['history'] : []
  return {
    ...config,
    rootfs: { ...rootfs, diff_ids: [...diffIds, diffId] },
    history: [...history, { created_by: 'test' }],
  }
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
