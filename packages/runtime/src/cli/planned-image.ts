import { toRunRegistry } from '../deliver/builtin-registry.ts'
import { toBuildPod } from '../deliver/build-pod.ts'
import { IMAGE_FOLDER, readContext } from '../deliver/context.ts'
import type { Delivery, DeliveryRequest } from '../deliver/delivery.ts'
import { type ImageInput, type ImageOptions, type RegistryInput, resolveImageOptions } from '../deliver/options.ts'
import { createLogin } from '../deliver/registry-login.ts'
import { REGISTRY_PORT } from '../deliver/registry-objects.ts'
import { toHost, toRepository } from '../deliver/registry-place.ts'

/** The objects of an image build, without building: the image has its tag for a name, since no digest is known. */
export function createPlannedImage(input: ImageInput): Delivery {
  const options = resolveImageOptions(input)
  return {
    async deliver(request) {
      const { key } = await readContext(request.folder, options)
      const names = typeof options.registry === 'string' ? { push: options.registry } : options.registry
      const registry = names ?? (await planRegistry(request, options))
      if (options.builder === 'kaniko') await planBuild(request, { options, registry, key })
      const pull = registry.pull ?? registry.push
      const secret = registry.pullSecret ?? registry.pushSecret
      return {
        image: `${toHost(pull)}/${toRepository(pull, request.program)}:${key}`,
        command: ['node', `${IMAGE_FOLDER}/worker.js`],
        workingDir: IMAGE_FOLDER,
        volumes: [],
        volumeMounts: [],
        imagePullSecrets: secret === undefined ? [] : [{ name: secret }],
      }
    },
  }
}

async function planRegistry({ scope }: DeliveryRequest, { registryImage }: ImageOptions): Promise<RegistryInput> {
  const { client } = scope
  const objects = await toRunRegistry(scope, { image: registryImage, login: createLogin() })
  await client.create('Secret', objects.secret)
  await client.create('Deployment', objects.deployment)
  await client.create('Service', objects.service)
  if (scope.isGuarded) await client.create('NetworkPolicy', objects.policy)
  const [pushSecret, pullSecret] = ['push', 'pull'].map((side) => `${scope.namePrefix}-${side}`)
  return {
    push: `registry-pod:${REGISTRY_PORT}`,
    pull: 'localhost:(node port)',
    insecure: true,
    pushSecret,
    pullSecret,
  }
}

interface PlannedBuild {
  readonly options: ImageOptions
  readonly registry: RegistryInput
  readonly key: string
}

async function planBuild({ scope, program }: DeliveryRequest, { options, registry, key }: PlannedBuild): Promise<void> {
  const host = toHost(registry.push)
  const pod = toBuildPod({
    name: `${scope.namePrefix}-build`,
    scope,
    target: {
      destination: `${host}/${toRepository(registry.push, program)}:${key}`,
      host,
      isInsecure: registry.insecure ?? false,
    },
    options: options.kaniko,
    pushSecret: registry.pushSecret,
    certificates: registry.caFile === undefined ? undefined : `${scope.namePrefix}-registry-ca`,
    runsCommands: options.apt.length + options.npm.length > 0,
    architecture: options.architecture,
  })
  await scope.client.create('Pod', pod)
}
