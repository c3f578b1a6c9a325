// Runs the tests that need a Kubernetes cluster: on the one that KUBECONFIG names, else on one of this machine, which it
// starts and takes down again (one that was up before stays up). Further arguments go to vitest.
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

import { isStarted } from '../test/cluster/processes.mjs'
import { folder } from '../test/cluster/settings.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const cluster = process.env.KUBECONFIG ? { env: process.env, end() {} } : startCluster()
const vitest = ['vitest', 'run', '--config', 'test/cluster/vitest.config.ts', ...process.argv.slice(2)]
const { status } = run('npx', vitest, cluster.env)
cluster.end()
process.exit(status ?? 1)

function startCluster() {
  checkMachine()
  const wasUp = isStarted('apiserver')
  const end = () => wasUp || run('node', ['test/cluster/down.mjs'])
  if (run('node', ['test/cluster/up.mjs']).status !== 0) {
    end()
    process.exit(1)
  }
  return { env: { ...process.env, KUBECONFIG: `${folder}/admin.kubeconfig` }, end }
}

function checkMachine() {
  if (process.platform === 'linux' && process.getuid?.() === 0) return
  console.error(
    'The cluster tests need a cluster.\n  Set KUBECONFIG to one, or run this as root on Linux: it then starts its own (13 minutes the first time).',
  )
  process.exit(1)
}

function run(command, commandArguments, env = process.env) {
  return spawnSync(command, commandArguments, { cwd: root, env, stdio: 'inherit' })
}
