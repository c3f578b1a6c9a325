// The cluster's authority, the certificates of its components, and a kubeconfig for each of them.
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

import { folder, nodeAddress, say } from './settings.mjs'

const apiNames = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]
const apiAddresses = ['127.0.0.1', '198.18.0.1', nodeAddress]

export function makeCertificates() {
  if (existsSync(`${folder}/pki/ca.crt`)) return
  say('making certificates')
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '365',
    '-subj',
    '/CN=turbolift-test-ca',
  )
  openssl('genrsa', '-out', 'sa.key', '2048')
  certify('apiserver', '/CN=kube-apiserver', [
    ...apiAddresses.map((address) => `IP:${address}`),
    ...apiNames.map((name) => `DNS:${name}`),
  ])
  certify('admin', '/O=system:masters/CN=admin')
  certify('kubelet', '/O=system:nodes/CN=system:node:node1', ['DNS:node1', `IP:${nodeAddress}`])
  certify('controllers', '/CN=system:kube-controller-manager')
  certify('scheduler', '/CN=system:kube-scheduler')
  certify('proxy', '/CN=system:kube-proxy')
  certify('front-proxy', '/CN=front-proxy')
  certify('metrics', '/CN=metrics-server.kube-system.svc', ['DNS:metrics-server.kube-system.svc', `IP:${nodeAddress}`])
}

export function writeKubeconfigs() {
  for (const user of ['admin', 'kubelet', 'controllers', 'scheduler', 'proxy']) {
    const pki = `${folder}/pki`
    const cluster = { server: `https://${nodeAddress}:6443`, 'certificate-authority': `${pki}/ca.crt` }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'turbolift-test',
      clusters: [{ name: 'turbolift-test', cluster }],
      users: [{ name: user, user: { 'client-certificate': `${pki}/${user}.crt`, 'client-key': `${pki}/${user}.key` } }],
      contexts: [{ name: 'turbolift-test', context: { cluster: 'turbolift-test', user } }],
    }
    writeFileSync(`${folder}/${user}.kubeconfig`, JSON.stringify(config), { mode: 0o600 })
  }
}

function certify(name, subject, alternatives = []) {
  const extensions = `${name}.extensions`
  writeFileSync(
    `${folder}/pki/${extensions}`,
    alternatives.length === 0 ? '' : `subjectAltName=${alternatives.join(',')}\n`,
  )
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject)
  const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    ...authority,
    '-days',
    '365',
    '-out',
    `${name}.crt`,
    '-extfile',
    extensions,
  )
  for (const file of [extensions, `${name}.csr`]) rmSync(`${folder}/pki/${file}`)
}

function openssl(...commandArguments) {
  execFileSync('openssl', commandArguments, { cwd: `${folder}/pki`, stdio: 'pipe' })
}
