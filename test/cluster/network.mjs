// The node's address, and how pods get theirs.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'

import { nodeAddress, podRangeOfNode } from './settings.mjs'

const bridge = {
  type: 'bridge',
  bridge: 'tl-br0',
  isGateway: true,
  ipMasq: true,
  hairpinMode: true,
  ipam: { type: 'host-local', ranges: [[{ subnet: podRangeOfNode }]], routes: [{ dst: '0.0.0.0/0' }] },
}

export function setUpNetwork() {
  execFileSync('ip', ['addr', 'replace', `${nodeAddress}/32`, 'dev', 'lo'])
  execFileSync('sysctl', ['-qw', 'net.ipv4.ip_forward=1'])
  mkdirSync('/etc/cni/net.d', { recursive: true })
  mkdirSync('/opt/cni', { recursive: true })
  if (!existsSync('/opt/cni/bin')) symlinkSync('/usr/lib/cni', '/opt/cni/bin')
  const plugins = [bridge, { type: 'portmap', capabilities: { portMappings: true } }]
  const config = { cniVersion: '0.4.0', name: 'turbolift', plugins }
  writeFileSync('/etc/cni/net.d/10-turbolift.conflist', JSON.stringify(config))
}

/** Takes back what `setUpNetwork` and the cluster's own components did; other rules of the machine stay. */
export function tearDownNetwork() {
  for (const undo of [
    ['link', 'delete', 'tl-br0'],
    ['addr', 'del', `${nodeAddress}/32`, 'dev', 'lo'],
  ])
    ifThere('ip', undo)
  const rules = execFileSync('iptables-save', { encoding: 'utf8' }).split('\n')
  const others = rules.filter((rule) => !rule.includes('KUBE-') && !rule.includes('CNI-'))
  execFileSync('iptables-restore', { input: others.join('\n') })
}

function ifThere(command, commandArguments) {
  try {
    execFileSync(command, commandArguments, { stdio: 'pipe' })
  } catch (error) {
    if (!/Cannot find|Cannot assign|Address not found/.test(error.message)) throw error
  }
}
