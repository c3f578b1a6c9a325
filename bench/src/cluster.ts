import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'

const node = process.versions.node.split('.')[0]

/** The cluster that benchmarks run on, as the environment names it. */
export interface Cluster {
  readonly baseImage: string
  readonly kanikoImage: string
  /** `host:port[/path]` that takes images. */
  readonly registry: string
  /** Registries that speak plain HTTP. */
  readonly insecure: readonly string[]
}

/**
 * Reads the variables that the programs under test read as well, so that what they are compared with uses the same.
 * @throws Error when one that has no default is missing
 */
export function readCluster(env: NodeJS.ProcessEnv = process.env): Cluster {
  const [registry, kanikoImage] = [env['TURBOLIFT_REGISTRY'], env['TURBOLIFT_KANIKO_IMAGE']]
  if (env['KUBECONFIG'] === undefined || registry === undefined || kanikoImage === undefined)
    throw new Error('This benchmark needs a cluster: KUBECONFIG, TURBOLIFT_REGISTRY and TURBOLIFT_KANIKO_IMAGE.')
  const { push, insecure } = registry.startsWith('{') ? JSON.parse(registry) : { push: registry }
  const others = (env['TURBOLIFT_INSECURE_REGISTRIES'] ?? '').split(',').filter((host) => host !== '')
  return {
    baseImage: env['TURBOLIFT_BASE_IMAGE'] ?? `node:${node}-slim`,
    kanikoImage,
    registry: push,
    insecure: insecure === true ? [...others, push.split('/')[0]] : others,
  }
}

/** Runs kubectl to its end. @returns what it printed */
export async function kubectl(args: readonly string[], input?: object): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = execFile('kubectl', args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`kubectl ${args.join(' ')}: ${stderr}`, { cause: error })),
    )
    child.stdin?.end(input === undefined ? '' : JSON.stringify(input))
  })
}

/** A namespace of the benchmark's own; disposing removes it and all in it. */
export async function createNamespace(): Promise<AsyncDisposable & { readonly name: string }> {
  const name = `bench-${randomBytes(4).toString('hex')}`
  await kubectl(['create', 'namespace', name])
  await kubectl(['wait', '--for=create', 'serviceaccount/default', '-n', name, '--timeout=30s'])
  return {
    name,
    [Symbol.asyncDispose]: async () => void (await kubectl(['delete', 'namespace', name])),
  }
}

/** Names of the pods with the label that appear in the namespace while `work` runs. */
export async function watchPods(
  namespace: string,
  label: string,
  work: () => Promise<unknown>,
): Promise<ReadonlySet<string>> {
  const child = execFile('kubectl', ['get', 'pods', '-n', namespace, '-l', label, '--watch', '-o', 'name'])
  const output = child.stdout === null ? '' : text(child.stdout)
  try {
    await work()
  } finally {
    child.kill()
  }
  return new Set((await output).split('\n').filter((name) => name !== ''))
}
