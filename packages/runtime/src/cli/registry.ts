import { findInstalledRegistry, waitForRegistry } from '../deliver/builtin-registry.ts'
import { resolveImageOptions } from '../deliver/options.ts'
import { createLogin, readLogin } from '../deliver/registry-login.ts'
import { INSTALLED_REGISTRY, toRegistryObjects } from '../deliver/registry-objects.ts'
import type { KubernetesClient } from '../deploy/client.ts'
import { clusterExplanations, clusterOptions, openCluster } from './cluster.ts'
import { type Command, type CommandCall, textOption, wrongUsage } from './command.ts'

export const registry: Command = {
  about: 'Puts a registry into the namespace that stays between runs, or removes it.',
  usage: 'install [--storage 10Gi] | uninstall',
  options: { ...clusterOptions, storage: { type: 'string' } },
  explain: {
    ...clusterExplanations,
    storage: 'keep images in a volume of this size; default: in the pod, gone with it',
  },
  async run(call) {
    const [action, ...rest] = call.positionals
    if (rest.length > 0 || (action !== 'install' && action !== 'uninstall'))
      throw wrongUsage('"turbolift registry" needs "install" or "uninstall".', 'Write "turbolift registry install".')
    return action === 'install' ? install(call) : uninstall(call)
  },
}

/** Removes a registry that was installed to stay, with the images in it. */
export async function removeRegistry({
  client,
  name,
  signal,
}: {
  readonly client: KubernetesClient
  readonly name: string
  readonly signal: AbortSignal
}): Promise<void> {
  await Promise.all([
    client.remove('Deployment', name, { propagation: 'Foreground', signal }),
    client.remove('Service', name, { signal }),
    client.remove('PersistentVolumeClaim', name, { signal }),
    client.remove('Secret', name, { signal }),
    client.remove('NetworkPolicy', name, { signal }),
  ])
  const options = { fieldSelector: `metadata.name=${name}`, signal }
  for await (const event of client.watch('Deployment', options)) {
    if (event.type === 'DELETED') return
    if (event.type === 'SYNCED' && (await client.read('Deployment', name, { signal })) === undefined) return
  }
}

async function install(call: CommandCall): Promise<number> {
  const { client, config } = await openCluster(call)
  const { signal, output } = call
  const { namespace } = client
  const labels = { 'app.kubernetes.io/managed-by': 'turbolift', 'app.kubernetes.io/name': INSTALLED_REGISTRY }
  const { registryImage } = resolveImageOptions(config.kubernetes.image)
  const known = await client.read('Secret', INSTALLED_REGISTRY, { signal })
  const objects = await toRegistryObjects({
    name: INSTALLED_REGISTRY,
    namespace,
    labels,
    owner: undefined,
    image: registryImage,
    storage: textOption(call, 'storage'),
    login: readLogin(known) ?? createLogin(),
    // Every pod of the namespace: programs that build there by themselves have no label to know them by.
    pushers: [{ podSelector: {} }],
  })
  if (readLogin(known) === undefined) await client.apply('Secret', objects.secret, { signal })
  if (config.kubernetes.networkPolicy) await client.apply('NetworkPolicy', objects.policy, { signal })
  if (objects.claim !== undefined) await client.apply('PersistentVolumeClaim', objects.claim, { signal })
  await client.apply('Deployment', objects.deployment, { signal })
  await client.apply('Service', objects.service, { signal })
  await waitForRegistry({ client, namespace, name: INSTALLED_REGISTRY, signal })
  const place = await findInstalledRegistry({ client, namespace, signal })
  output.print(`${INSTALLED_REGISTRY} is ready; nodes pull from ${place?.pull}.`)
  output.print('Programs that run in this namespace find it by themselves, and its login in the Secret of that name.')
  client[Symbol.dispose]()
  return 0
}

async function uninstall(call: CommandCall): Promise<number> {
  const { client } = await openCluster(call)
  await removeRegistry({ client, name: INSTALLED_REGISTRY, signal: call.signal })
  call.output.print(`${INSTALLED_REGISTRY} is gone`)
  client[Symbol.dispose]()
  return 0
}
