import { wallClock } from '@turbolift/worker-base/clock'

import { isRefusal } from '../deploy/client.ts'
import { LiftError } from '../errors.ts'
import { appendLayer } from './append.ts'
import { needsKaniko, registryOutOfReach } from './build-errors.ts'
import { findInstalledRegistry, startRegistry } from './builtin-registry.ts'
import { checkExternals, IMAGE_FOLDER, type ImageContext, packContext, readContext } from './context.ts'
import type { DeliveredCode, Delivery, DeliveryRequest } from './delivery.ts'
import { buildWithExecutor, hasExecutor } from './executor.ts'
import { type RecordPlace, recallImage, rememberImage } from './image-record.ts'
import { isLoopback, parseImageReference, toApiHost } from './image-reference.ts'
import { buildWithKaniko } from './kaniko.ts'
import { type ImageInput, type ImageOptions, resolveImageOptions, toArchitecture } from './options.ts'
import { findCredentials, toDockerConfig } from './registry-auth.ts'
import { findAnnouncedRegistry } from './registry-discovery.ts'
import {
  type RegistryPlace,
  toAnnouncedPlace,
  toHost,
  toRegistry,
  toRegistryPlace,
  toRepository,
} from './registry-place.ts'
import { Registry } from './registry.ts'

/** Where the image goes, and who fetches it from there. */
interface Destination {
  readonly place: RegistryPlace
  readonly registry: Registry
  readonly repository: string
}

interface BuildStep {
  readonly request: DeliveryRequest
  readonly options: ImageOptions
  readonly context: ImageContext
  readonly destination: Destination
}

/**
 * Delivers the worker files as an image that is named by its content: built once, and found again by later runs.
 */
export function createImageDelivery(input: ImageInput): Delivery {
  const options = resolveImageOptions(input)
  return { deliver: (request) => deliverImage(request, options) }
}

async function deliverImage(request: DeliveryRequest, options: ImageOptions): Promise<DeliveredCode> {
  checkExternals(request.externals, options)
  if (options.builder === 'append') refuseCommands(options)
  const [context, place] = await Promise.all([readContext(request.folder, options), findPlace(request, options)])
  const destination = { place, registry: toRegistry(place), repository: toRepository(place.host, request.program) }
  const step = { request, options, context, destination }
  const digest = (await findImage(step)) ?? (await makeImage(step))
  const pullSecret = await makePullSecret(step)
  return {
    image: `${toHost(place.pull)}/${toRepository(place.pull, request.program)}@${digest}`,
    command: ['node', `${IMAGE_FOLDER}/worker.js`],
    workingDir: IMAGE_FOLDER,
    volumes: [],
    volumeMounts: [],
    imagePullSecrets: pullSecret === undefined ? [] : [{ name: pullSecret }],
    ...toNodeSelector(options),
  }
}

function refuseCommands({ apt, npm }: ImageOptions): void {
  if (apt.length > 0) throw needsKaniko('apt')
  if (npm.length > 0) throw needsKaniko('npm')
}

/** The registry of the options, else the one the cluster announces, else one that stays, else one for this run. */
async function findPlace({ scope, signal }: DeliveryRequest, options: ImageOptions): Promise<RegistryPlace> {
  if (options.registry !== undefined) return toRegistryPlace(options.registry)
  const announced = await findAnnouncedRegistry(scope.client, { signal })
  if (announced !== undefined) return toAnnouncedPlace(announced)
  const installed = await findInstalledRegistry({ client: scope.client, namespace: scope.namespace, signal })
  return installed ?? startRegistry(scope, { image: options.registryImage, signal })
}

/** What an earlier run has built, if the registry still has it. Its tags say nothing: others may have moved them. */
async function findImage(step: BuildStep): Promise<string | undefined> {
  const { request, options, destination } = step
  const { registry, repository, place } = destination
  const known = place.isLasting ? await recallImage(toRecordPlace(request), toRecordName(step)) : undefined
  if (known === undefined) return undefined
  try {
    const found = await registry.findManifest(repository, known, { signal: request.signal })
    return found === undefined ? undefined : known
  } catch (error) {
    // The build pod may reach a registry that this program cannot; building again is only slower.
    const isOutside =
      error instanceof LiftError && (error.code === 'REGISTRY_UNREACHABLE' || error.code === 'PUSH_DENIED')
    if (!isOutside || options.builder === 'append') throw error
    return undefined
  }
}

/** @returns the digest that the build itself has named */
async function makeImage(step: BuildStep): Promise<string> {
  const { request, destination } = step
  const digest = await buildImage(step)
  if (!destination.place.isLasting) return digest
  try {
    await rememberImage(toRecordPlace(request), toRecordName(step), digest, new Date(wallClock()))
  } catch (error) {
    // The image is there; only later runs do not know of it.
    if (!isRefusal(error, 'Forbidden')) throw error
    request.onLog?.(
      `The next run builds the image again, since this one may not write down its digest: ${error.message}`,
    )
  }
  return digest
}

function toRecordPlace({ scope, signal }: DeliveryRequest): RecordPlace {
  return { client: scope.client, namespace: scope.namespace, signal }
}

function toRecordName({ request, context, destination }: BuildStep): string {
  const { pull } = destination.place
  return `${toHost(pull)}/${toRepository(pull, request.program)}:${context.key}`
}

function buildImage(step: BuildStep): Promise<string> {
  const { options, destination } = step
  if (options.builder === 'append') return append(step)
  if (destination.place.isForProgramOnly) {
    if (options.apt.length + options.npm.length > 0) throw registryOutOfReach(destination.place.host)
    return append(step)
  }
  return hasExecutor() ? execute(step) : buildInPod(step)
}

async function append({ request, options, context, destination }: BuildStep): Promise<string> {
  const { registry, repository, place } = destination
  const { baseImage, architecture } = options
  const { registry: name } = parseImageReference(baseImage)
  const host = toApiHost(name)
  const isInsecure = options.kaniko.insecureRegistries?.includes(name) === true || isLoopback(name)
  const source =
    host === registry.host ? registry : new Registry({ host, isInsecure, credentials: await findCredentials(name) })
  const target = { target: registry, repository, tag: context.key }
  const signal = request.signal
  if (options.kaniko.showLog === true)
    request.onLog?.(`append: ${place.push}/${repository}:${context.key} on ${baseImage}`)
  return appendLayer({
    context,
    baseImage,
    architecture: architecture ?? toArchitecture(),
    source,
    ...target,
    signal,
  })
}

async function execute({ request, options, context, destination }: BuildStep): Promise<string> {
  const { place } = destination
  return buildWithExecutor({
    target: toTarget(destination, context, request),
    options: options.kaniko,
    context: await packContext(context),
    dockerConfig: place.credentials === undefined ? undefined : toDockerConfig(toHost(place.push), place.credentials),
    ca: place.ca,
    onLog: options.kaniko.showLog === true ? request.onLog : undefined,
    signal: request.signal,
  })
}

async function buildInPod(step: BuildStep): Promise<string> {
  const { request, options, context, destination } = step
  const [archive, pushSecret, certificates] = await Promise.all([
    packContext(context),
    makePushSecret(step),
    makeCertificates(step),
  ])
  return buildWithKaniko({
    name: `${request.scope.namePrefix}-build`,
    scope: request.scope,
    target: toTarget(destination, context, request),
    options: options.kaniko,
    context: archive,
    pushSecret,
    certificates,
    runsCommands: options.apt.length + options.npm.length > 0,
    architecture: options.architecture,
    onLog: options.kaniko.showLog === true ? request.onLog : undefined,
    signal: request.signal,
  })
}

function toTarget({ place }: Destination, { key }: ImageContext, { program }: DeliveryRequest) {
  const host = toHost(place.push)
  return { destination: `${host}/${toRepository(place.push, program)}:${key}`, host, isInsecure: place.isInsecure }
}

/** The named Secret, or one of the run with this program's own credentials, where the user allows that. */
async function makePushSecret({ request, destination }: BuildStep): Promise<string | undefined> {
  const { place } = destination
  if (place.pushSecret !== undefined || !place.sharesCredentials) return place.pushSecret
  return makeSecret(request, { suffix: 'push', host: toHost(place.push), place })
}

async function makePullSecret({ request, destination }: BuildStep): Promise<string | undefined> {
  const { place } = destination
  if (place.pullSecret !== undefined || !place.sharesCredentials) return place.pullSecret
  return makeSecret(request, { suffix: 'pull', host: toHost(place.pull), place })
}

interface SecretRequest {
  readonly suffix: string
  readonly host: string
  readonly place: RegistryPlace
}

async function makeSecret(
  { scope, signal }: DeliveryRequest,
  { suffix, host, place }: SecretRequest,
): Promise<string | undefined> {
  if (place.credentials === undefined) return undefined
  const name = `${scope.namePrefix}-${suffix}`
  const metadata = { name, labels: { ...scope.labels }, ownerReferences: [scope.owner] }
  const stringData = { '.dockerconfigjson': toDockerConfig(host, place.credentials) }
  const secret = { metadata, type: 'kubernetes.io/dockerconfigjson', stringData }
  await scope.client.create('Secret', secret, { namespace: scope.namespace, signal })
  return name
}

async function makeCertificates({ request, destination }: BuildStep): Promise<string | undefined> {
  const { ca } = destination.place
  if (ca === undefined) return undefined
  const { scope, signal } = request
  const name = `${scope.namePrefix}-registry-ca`
  const metadata = { name, labels: { ...scope.labels }, ownerReferences: [scope.owner] }
  await scope.client.create('ConfigMap', { metadata, data: { 'ca.crt': ca } }, { namespace: scope.namespace, signal })
  return name
}

function toNodeSelector({ architecture }: ImageOptions): Pick<DeliveredCode, 'nodeSelector'> {
  return architecture === undefined ? {} : { nodeSelector: { 'kubernetes.io/arch': architecture } }
}
