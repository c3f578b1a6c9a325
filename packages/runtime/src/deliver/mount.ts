import { readdir, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { gzipSync } from 'node:zlib'

import type { V1ConfigMap } from '@kubernetes/client-node'

import { BuildError } from '../errors.ts'
import { packArchive } from './archive.ts'
import { nativePackageMissing } from './build-errors.ts'
import type { DeliveredCode, Delivery, DeliveryRequest, DeliveryScope } from './delivery.ts'
import { unpackScript } from './unpack-script.ts'

export interface MountOptions {
  /** Stock image with Node. */
  readonly image: string
}

/** A ConfigMap holds 1 MiB. */
const partBytes = 1_000_000
/** More would weigh on the cluster's database. */
const mostParts = 24
const mountFolder = '/opt/turbolift/packed'
const codeFolder = '/opt/turbolift/code'

/** The files travel in ConfigMaps and are unpacked when a worker starts: no registry, no build. */
export function createMountDelivery({ image }: MountOptions): Delivery {
  return {
    async deliver({ folder, externals, scope, signal }: DeliveryRequest): Promise<DeliveredCode> {
      if (externals.length > 0) throw nativePackageMissing(externals)
      const parts = toParts(gzipSync(packArchive(await readFiles(folder)), { level: 9 }))
      const maps = parts.map((part, index) => toConfigMap(scope, part, index))
      await Promise.all(maps.map((map) => scope.client.create('ConfigMap', map, { signal })))
      return toDeliveredCode(image, maps)
    },
  }
}

function toParts(archive: Buffer): readonly Buffer[] {
  const count = Math.ceil(archive.length / partBytes)
  if (count > mostParts) throw mountTooLarge(archive.length)
  return Array.from({ length: count }, (_, index) => archive.subarray(index * partBytes, (index + 1) * partBytes))
}

function toConfigMap(
  { namespace, namePrefix, labels, owner }: DeliveryScope,
  part: Buffer,
  index: number,
): V1ConfigMap {
  const script = index === 0 ? { data: { 'start.mjs': unpackScript } } : {}
  return {
    metadata: { name: `${namePrefix}-code-${index}`, namespace, labels: { ...labels }, ownerReferences: [owner] },
    immutable: true,
    binaryData: { [`part-${String(index).padStart(3, '0')}`]: part.toString('base64') },
    ...script,
  }
}

function toDeliveredCode(image: string, maps: readonly V1ConfigMap[]): DeliveredCode {
  const sources = maps.map(({ metadata }) => ({ configMap: { name: metadata?.name ?? '' } }))
  return {
    image,
    command: ['node', `${mountFolder}/start.mjs`, mountFolder, codeFolder],
    workingDir: codeFolder,
    volumes: [
      { name: 'packed', projected: { sources } },
      { name: 'code', emptyDir: { sizeLimit: '256Mi' } },
    ],
    volumeMounts: [
      { name: 'packed', mountPath: mountFolder, readOnly: true },
      { name: 'code', mountPath: codeFolder },
    ],
    imagePullSecrets: [],
  }
}

async function readFiles(folder: string): Promise<{ readonly name: string; readonly data: Uint8Array }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const read = async (path: string) => ({
    name: path.slice(folder.length + 1).replaceAll(sep, '/'),
    data: await readFile(path),
  })
  return Promise.all(files.map(read))
}

function mountTooLarge(bytes: number): BuildError {
  return new BuildError('MOUNT_TOO_LARGE', {
    what: `The worker code is too large to be mounted: ${(bytes / 1e6).toFixed(1)} MB compressed.`,
    why: `It travels in ConfigMaps, which are kept in the cluster's database; ${(mostParts * partBytes) / 1e6} MB is the most.`,
    fix: 'Use delivery: "image", or make the code smaller; large assets are better read from where they are.',
  })
}
