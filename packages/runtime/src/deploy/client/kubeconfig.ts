// The only module that loads the Kubernetes client library's code; the rest takes types from it.
import { existsSync } from 'node:fs'
import { delimiter } from 'node:path'

// Not the package's main module: that one pulls in 900 more for API classes that are not used here.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js'

export interface KubeconfigOptions {
  /** Default: `$KUBECONFIG`, else `~/.kube/config`, else the pod's own service account. */
  readonly kubeconfig?: string | undefined
  /** Default: the file's current context. */
  readonly context?: string | undefined
}

/** Loads it as kubectl does: of several files the first that names a thing wins. */
export function loadKubeconfig({ kubeconfig, context }: KubeconfigOptions): KubeConfig {
  const config = loadFiles(kubeconfig ?? process.env['KUBECONFIG'])
  if (context !== undefined) config.setCurrentContext(context)
  return allowPlainHttp(config)
}

function loadFiles(paths: string | undefined): KubeConfig {
  const files = (paths ?? '').split(delimiter).filter((path) => path !== '' && existsSync(path))
  const [first, ...rest] = files.map((path) => {
    const config = new KubeConfig()
    config.loadFromFile(path)
    return config
  })
  if (first === undefined) return loadDefault(paths)
  for (const other of rest) first.mergeConfig(withoutNamesOf(first, other), first.getCurrentContext() !== '')
  return first
}

function loadDefault(paths: string | undefined): KubeConfig {
  if (paths !== undefined && paths !== '') throw new Error(`The kubeconfig ${paths} does not exist.`)
  const config = new KubeConfig()
  config.loadFromDefault()
  // What the library falls back to when it finds nothing.
  if (config.getCurrentCluster()?.server === 'http://localhost:8080') {
    throw new Error('KUBECONFIG is not set, there is no ~/.kube/config, and this is not a pod with a service account.')
  }
  return config
}

// The library refuses two files that name the same thing, where kubectl takes the first.
function withoutNamesOf(first: KubeConfig, other: KubeConfig): KubeConfig {
  const result = new KubeConfig()
  result.loadFromOptions({
    clusters: other.clusters.filter(({ name }) => !first.clusters.some((known) => known.name === name)),
    users: other.users.filter(({ name }) => !first.users.some((known) => known.name === name)),
    contexts: other.contexts.filter(({ name }) => !first.contexts.some((known) => known.name === name)),
    currentContext: other.currentContext,
  })
  return result
}

// The library refuses plain http (`kubectl proxy`) unless certificate checks are off, which mean nothing there.
function allowPlainHttp(config: KubeConfig): KubeConfig {
  const clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster,
  )
  const { users, contexts, currentContext } = config
  config.loadFromOptions({ clusters, users, contexts, currentContext })
  return config
}
