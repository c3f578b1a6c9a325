// Starts a real one-node Kubernetes cluster on this machine, from Go modules and Debian packages alone: nothing is
// pulled from an image registry. Needs root on Linux, and Go for the first time, which takes about 13 minutes.
// Safe to run again: it starts what is not running. Prints what to export.
import { mkdirSync } from 'node:fs'

import { makeCertificates, writeKubeconfigs } from './certificates.mjs'
import { kubectl, startContainers, startControlPlane, startNode, startServices } from './components.mjs'
import { makeImages } from './images.mjs'
import { setUpNetwork } from './network.mjs'
import { untilOk } from './processes.mjs'
import { buildPrograms, fetchRouteDefinition, installPackages } from './programs.mjs'
import { applyServices } from './services.mjs'
import { bin, folder, kubeconfig, registry, say } from './settings.mjs'

for (const name of ['bin', 'pki', 'log', 'etcd', 'kubelet', 'pids', 'images'])
  mkdirSync(`${folder}/${name}`, { recursive: true })
installPackages()
buildPrograms()
fetchRouteDefinition()
setUpNetwork()
makeCertificates()
writeKubeconfigs()
await startContainers()
await makeImages()
await startControlPlane()
startNode()
startServices()
await untilOk('node', 60, [...kubectl, 'wait', '--for=condition=Ready', 'node/node1', '--timeout=1s'])
await applyServices()
await untilOk('default service account', 30, [...kubectl, 'get', 'serviceaccount', 'default'])
say('the cluster is up')
console.log(`export KUBECONFIG=${kubeconfig} PATH=${bin}:$PATH REGISTRY=${registry}`)
