// Runs the tests that need a Kubernetes cluster: on the one that KUBECONFIG names, else on one of this machine, which it
// starts and takes down again (one that was up before stays up). Further arguments go to vitest.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = process.env.CLUSTER_DIR ?? '/var/tmp/turbolift-cluster'
const cluster = process.env.KUBECONFIG ? { env: process.env, end() {} } : startCluster()
const vitest = ['vitest', 'run', '--config', 'test/cluster/vitest.config.ts', ...process.argv.slice(2)]
const { status } = run('npx', vitest, cluster.env)
cluster.end()
process.exit(status ?? 1)

function startCluster() {
  checkMachine()
  const wasUp = isUp()
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

function isUp() {
  const pid = `${folder}/pids/apiserver`
  return existsSync(pid) && existsSync(`/proc/${readFileSync(pid, 'utf8').trim()}`)
}

function run(command, commandArguments, env = process.env) {
  return spawnSync(command, commandArguments, { cwd: root, env, stdio: 'inherit' })
}
