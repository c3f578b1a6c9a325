import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTemporaryFolder } from '@turbolift/worker-base/folders'

import type { DeliveredCode, Delivery, DeliveryScope } from '../../deliver/delivery.ts'
import { createImageDelivery } from '../../deliver/image.ts'
import { forgetImages } from '../../deliver/image-record.ts'
import { createMountDelivery } from '../../deliver/mount.ts'
import { resolveImageOptions } from '../../deliver/options.ts'
import { openAnchor } from '../../deploy/anchor.ts'
import { toRegistry, toRepository } from '../../deliver/registry-place.ts'
import { createRunIdentity } from '../../deploy/names.ts'
import type { Check, DoctorSite, Finding, Verdict } from './check.ts'
import { ok, runCheck, toFailure } from './check.ts'
import { findLastingRegistry } from '../registry-in-use.ts'
import { type DoctorPod, measureRoutes, startPod } from './test-pod.ts'

const GRACE_MS = 60_000
const PROGRAM = 'doctor'

/**
 * A whole run in small: deliver a file by the configured way, have a node start it, and reach it.
 * Everything is owned by an anchor of its own, so that nothing stays, however it ends.
 */
export async function travel(site: DoctorSite): Promise<readonly Finding[]> {
  const { client, signal } = site
  const run = createRunIdentity('doctor')
  let anchor: Awaited<ReturnType<typeof openAnchor>> | undefined
  let code: DeliveredCode | undefined
  let pod: DoctorPod | undefined
  const names = { namespace: client.namespace, namePrefix: run.name, labels: run.labels }
  const isGuarded = site.config.kubernetes.networkPolicy
  const scope = (): DeliveryScope | undefined =>
    anchor === undefined ? undefined : { client, ...names, isGuarded, owner: anchor.owner }
  const steps: readonly Check[] = [
    {
      name: 'anchor',
      async run() {
        anchor = await openAnchor({
          client,
          run,
          graceMs: GRACE_MS,
          annotations: { 'turbolift.dev/doctor': 'true' },
          signal,
        })
        return ok('the object that owns everything of a run is created and starts')
      },
    },
    {
      name: 'delivery',
      async run() {
        const target = scope()
        if (target === undefined) return notReached
        code = await deliver(site, target)
        return ok(toText(site, code))
      },
    },
    {
      name: 'start',
      async run() {
        const target = scope()
        if (target === undefined || code === undefined) return notReached
        pod = await startPod(target, code, signal)
        return toStartVerdict(pod, site)
      },
    },
    { name: 'route', run: async () => (pod === undefined ? notReached : measureRoutes(site, pod)) },
  ]
  const findings: Finding[] = []
  for (const step of steps) findings.push(await runCheck(step, site))
  if (anchor === undefined) return findings
  const owned = anchor
  const disposal: Check = {
    name: 'disposal',
    async run() {
      await owned[Symbol.asyncDispose]()
      return code === undefined ? ok('everything that the doctor created is gone') : removeImage(site, code)
    },
  }
  return [...findings, await runCheck(disposal, site)]
}

/** The tiny image says nothing to anyone. A registry that was started for the run took it along. */
async function removeImage({ client, config, signal }: DoctorSite, { image }: DeliveredCode): Promise<Verdict> {
  // Files that are mounted make no image: a digest is that of the base image.
  const [, digest] = config.kubernetes.delivery === 'mount' ? [] : image.split('@')
  const place = digest === undefined ? undefined : await findLastingRegistry({ client, config, signal })
  if (digest === undefined || place === undefined) return ok('everything that the doctor created is gone')
  const repository = toRepository(place.host, PROGRAM)
  try {
    await toRegistry(place).deleteManifest(repository, digest, { signal })
    await forgetImages({ client, namespace: client.namespace, signal }, new Set([digest]))
    return ok('everything that the doctor created is gone, its image too')
  } catch (error) {
    signal.throwIfAborted()
    const reason = toFailure(error).text
    return {
      state: 'warn',
      text: `only the image ${place.host}/${repository} stays: ${reason}`,
      fix: 'A registry that does not let programs delete keeps old images; see to its own rules.',
    }
  }
}

const notReached: Verdict = { state: 'skip', text: 'not reached' }

/** A file that no image has yet, so that something is really built and pushed. */
async function deliver({ config, signal }: DoctorSite, scope: DeliveryScope): Promise<DeliveredCode> {
  using temporary = createTemporaryFolder()
  const folder = join(temporary.path, 'code')
  await mkdir(folder)
  await writeFile(join(folder, 'worker.js'), `// ${randomBytes(8).toString('hex')}\n`)
  const delivery = createDelivery(config.kubernetes)
  return await delivery.deliver({ folder, program: PROGRAM, externals: [], scope, onLog: undefined, signal })
}

function createDelivery({ delivery, image }: DoctorSite['config']['kubernetes']): Delivery {
  if (delivery === 'image') return createImageDelivery(image ?? {})
  return createMountDelivery({ image: resolveImageOptions(image).baseImage })
}

function toText({ config }: DoctorSite, { image }: DeliveredCode): string {
  const { delivery, image: options } = config.kubernetes
  if (delivery === 'mount') return `the files are in the cluster, for the image ${image}`
  return `a tiny image was built by ${resolveImageOptions(options).builder} and pushed; nodes know it as ${image.replace(/@.*$/, '')}`
}

function toStartVerdict({ architecture, image }: DoctorPod, { config }: DoctorSite): Verdict {
  const { builder, architecture: wanted } = resolveImageOptions(config.kubernetes.image)
  const text = `a node pulled and started it; processor ${architecture}`
  const isOther = builder === 'append' && wanted !== undefined && wanted !== architecture
  return isOther
    ? {
        state: 'warn',
        text: `${text}, not ${wanted} (${image})`,
        fix: 'Set TURBOLIFT_ARCHITECTURE to that of the nodes.',
      }
    : ok(text)
}
