// Runs the tests that need a Kubernetes cluster: on the one that KUBECONFIG names, else on one that it starts on this
// machine and takes down again. Further arguments go to vitest.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const isOurs = !process.env.KUBECONFIG
const environment = isOurs ? startCluster() : process.env
const { status } = run(
  'npx',
  ['vitest', 'run', '--config', 'test/cluster/vitest.config.ts', ...process.argv.slice(2)],
  environment,
)
if (isOurs) run('node', ['test/cluster/down.mjs'])
process.exit(status ?? 1)

function startCluster() {
  const { kubeconfig, wasUp } = checkMachine()
  if (wasUp) console.error('A cluster of an earlier run is there; it is used, and taken down at the end.')
  if (run('node', ['test/cluster/up.mjs']).status !== 0) {
    run('node', ['test/cluster/down.mjs'])
    process.exit(1)
  }
  return { ...process.env, KUBECONFIG: kubeconfig }
}

function checkMachine() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    console.error(
      'The cluster tests need a cluster.\n  Set KUBECONFIG to one, or run this as root on Linux: it then starts its own (13 minutes the first time).',
    )
    process.exit(1)
  }
  const folder = process.env.CLUSTER_DIR ?? '/var/tmp/turbolift-cluster'
  return { kubeconfig: `${folder}/admin.kubeconfig`, wasUp: existsSync(`${folder}/pids/apiserver`) }
}

function run(command, commandArguments, env = process.env) {
  return spawnSync(command, commandArguments, { cwd: root, env, stdio: 'inherit' })
}
