// Objects that make the DNS server and the metrics server, which are processes of the machine, known to the cluster.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

import { kubectl } from './components.mjs'
import { untilOk } from './processes.mjs'
import { dnsAddress, folder, metricsAddress, nodeAddress, routeDefinition } from './settings.mjs'

export async function applyServices() {
  apply([
    ...toService('kube-dns', { clusterIP: dnsAddress, ports: dnsPorts }),
    ...toService('metrics-server', { clusterIP: metricsAddress, ports: metricsPorts }),
  ])
  // Only when the address leads there: before that it leads to whatever the machine's default route does, and the API
  // server keeps such a connection, and its answers, for good.
  await untilOk('metrics-server', 60, ['curl', '-sfk', `https://${metricsAddress}/livez`])
  apply([toMetricsApi(readFileSync(`${folder}/pki/ca.crt`).toString('base64'))])
  // On the server's side: it is too long for the annotation in which kubectl keeps what it applied.
  runKubectl(['apply', '--server-side', '-f', routeDefinition])
}

function apply(items) {
  runKubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
}

function runKubectl(more, input = '') {
  const [command, ...commandArguments] = kubectl
  execFileSync(command, [...commandArguments, ...more], { input, stdio: ['pipe', 'ignore', 'pipe'] })
}

const dnsPorts = [
  { name: 'dns', protocol: 'UDP', port: 53, targetPort: 5353 },
  { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 5353 },
]
const metricsPorts = [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 4443 }]

function toService(name, spec) {
  const metadata = { name, namespace: 'kube-system' }
  const ports = spec.ports.map(({ targetPort, ...port }) => ({ ...port, port: targetPort }))
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec },
    { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets: [{ addresses: [{ ip: nodeAddress }], ports }] },
  ]
}

function toMetricsApi(caBundle) {
  const service = { name: 'metrics-server', namespace: 'kube-system' }
  const priorities = { groupPriorityMinimum: 100, versionPriority: 100 }
  const spec = { service, group: 'metrics.k8s.io', version: 'v1beta1', ...priorities, caBundle }
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1beta1.metrics.k8s.io' },
    spec,
  }
}
