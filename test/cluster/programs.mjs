// Installs and builds the programs of the cluster, each once: from Debian packages and Go modules alone.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, renameSync, symlinkSync } from 'node:fs'
import { basename } from 'node:path'

import { bin, routeDefinition, say, sources, version } from './settings.mjs'

const debianPackages = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'skopeo',
  'iptables',
  'iproute2',
  'conntrack',
  'socat',
  'ethtool',
  'kmod',
  'ca-certificates',
  'curl',
  'openssl',
]
const debianPrograms = ['containerd', 'runc', 'skopeo', 'iptables', 'ip', 'conntrack', 'curl', 'openssl']

export function installPackages() {
  if (debianPrograms.every(isInstalled) && existsSync('/usr/lib/cni/bridge')) return
  say('installing Debian packages')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  execFileSync('apt-get', ['update', '-qq'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const installation = ['install', '-y', '-qq', '--no-install-recommends', ...debianPackages]
  execFileSync('apt-get', installation, { env, stdio: ['ignore', 'ignore', 'inherit'] })
}

export function buildPrograms() {
  const component = 'k8s.io/component-base/version'
  const stamp = `-X ${component}.gitVersion=${version.git} -X ${component}.gitMajor=${version.major} -X ${component}.gitMinor=${version.minor}`
  // One program for all components, kubectl included: it goes by the name it is called with.
  buildHere('kube', { folder: sources, target: '.', stamp })
  buildHere('pause', { folder: sources, target: './pause' })
  // From a module of its own: `go install` fails for it, since its list of versions is not served everywhere.
  buildHere('executor', { folder: `${sources}/kaniko`, target: 'github.com/GoogleContainerTools/kaniko/cmd/executor' })
  install('metrics-server', 'sigs.k8s.io/metrics-server/cmd/metrics-server@v0.8.0')
  install('coredns', 'github.com/coredns/coredns@v1.14.7')
  install('registry', 'github.com/distribution/distribution/v3/cmd/registry@v3.1.2')
  if (!existsSync(`${bin}/kubectl`)) symlinkSync('kube', `${bin}/kubectl`)
}

/** The definition of HTTPRoute, from the module that defines it, so that routes are checked as a cluster with a gateway would. */
export function fetchRouteDefinition() {
  if (existsSync(routeDefinition)) return
  say('fetching the Gateway API')
  const module = 'sigs.k8s.io/gateway-api@v1.4.0'
  const { Dir } = JSON.parse(execFileSync('go', ['mod', 'download', '-json', module], { encoding: 'utf8' }))
  copyFileSync(`${Dir}/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml`, routeDefinition)
}

function buildHere(name, { folder, target, stamp = '' }) {
  if (existsSync(`${bin}/${name}`)) return
  say(`building ${name}`)
  go(['build', '-trimpath', `-ldflags=-s -w ${stamp}`, '-o', `${bin}/${name}`, target], { cwd: folder })
}

function install(name, module) {
  if (existsSync(`${bin}/${name}`)) return
  say(`building ${name}`)
  go(['install', '-trimpath', '-ldflags=-s -w', module], { env: { GOBIN: bin, GOFLAGS: '-mod=mod' } })
  const built = basename(module.split('@')[0])
  if (built !== name) renameSync(`${bin}/${built}`, `${bin}/${name}`)
}

function go(commandArguments, { cwd, env = {} }) {
  const options = { cwd, env: { ...process.env, CGO_ENABLED: '0', ...env }, stdio: ['ignore', 'ignore', 'inherit'] }
  execFileSync('go', commandArguments, options)
}

function isInstalled(program) {
  const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
  return folders.some((path) => existsSync(path) && readdirSync(path).includes(program))
}
