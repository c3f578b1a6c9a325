// Stops the cluster that `up.mjs` started and removes its state. The built programs and images stay for the next time.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

import { tearDownNetwork } from './network.mjs'
import { stop } from './processes.mjs'
import { folder, say } from './settings.mjs'

if (!existsSync(`${folder}/pids`)) process.exit(0)
for (const name of [
  'kubelet',
  'proxy',
  'scheduler',
  'controllers',
  'metrics-server',
  'coredns',
  'apiserver',
  'etcd',
  'registry',
])
  await stop(name)
await removeContainers()
await stop('containerd')
unmountVolumes()
const kubeconfigs = readdirSync(folder).filter((name) => name.endsWith('.kubeconfig'))
for (const name of ['etcd', 'kubelet', 'pki', 'certs.d', 'images/registry', ...kubeconfigs])
  rmSync(`${folder}/${name}`, { recursive: true, force: true })
tearDownNetwork()
say('the cluster is down')

async function removeContainers() {
  for (const task of list('tasks')) containers('tasks', 'kill', '-s', 'KILL', task)
  await delay(1_000)
  for (const container of list('containers')) {
    containers('tasks', 'delete', '-f', container)
    containers('containers', 'delete', container)
  }
}

function list(what) {
  return (containers(what, 'list', '-q') ?? '').split('\n').filter((line) => line !== '')
}

// Containers end by themselves while this goes on, so that a failure says nothing.
function containers(...commandArguments) {
  try {
    return execFileSync('ctr', ['-n', 'k8s.io', ...commandArguments], { encoding: 'utf8', stdio: 'pipe' })
  } catch {
    return undefined
  }
}

function unmountVolumes() {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  const own = mounts
    .filter((path) => path.startsWith(`${folder}/kubelet`))
    .toSorted()
    .toReversed()
  for (const path of own) execFileSync('umount', ['-l', path])
}
