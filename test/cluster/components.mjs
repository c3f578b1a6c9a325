// The cluster's processes: what each is told, in the order in which they start.
import { mkdirSync, writeFileSync } from 'node:fs'

import { start, untilOk } from './processes.mjs'
import { bin, dnsAddress, folder, kubeconfig, nodeAddress, podRange, registry, serviceRange } from './settings.mjs'

const kube = `${bin}/kube`
export const kubectl = [kube, 'kubectl', `--kubeconfig=${kubeconfig}`]

export async function startContainers() {
  mkdirSync(`${folder}/certs.d/${registry}`, { recursive: true })
  write(`certs.d/${registry}/hosts.toml`, `server = "http://${registry}"\n[host."http://${registry}"]\n`)
  write('containerd.toml', containerdConfig)
  write('registry.yml', registryConfig)
  start('containerd', ['containerd', '--config', `${folder}/containerd.toml`])
  start('registry', [`${bin}/registry`, 'serve', 'registry.yml'])
  await untilOk('containerd', 30, ['ctr', 'version'])
  await untilOk('registry', 30, ['curl', '-sf', `http://${registry}/v2/`])
}

export async function startControlPlane() {
  const etcd = [
    '--listen-client-urls=http://127.0.0.1:2379',
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:2380',
  ]
  start('etcd', [kube, 'etcd', `--data-dir=${folder}/etcd`, ...etcd, '--unsafe-no-fsync'])
  await untilOk('etcd', 30, ['curl', '-sf', 'http://127.0.0.1:2379/health'])
  start('apiserver', [kube, 'apiserver', ...apiServerOptions])
  await untilOk('apiserver', 90, [...kubectl, 'get', '--raw', '/readyz'])
  start('controllers', [kube, 'controllers', ...controllerOptions])
  start('scheduler', [kube, 'scheduler', '--kubeconfig=scheduler.kubeconfig', '--leader-elect=false'])
}

export function startNode() {
  write('kubelet.yaml', JSON.stringify(kubeletConfig))
  const kubelet = [
    '--kubeconfig=kubelet.kubeconfig',
    '--config=kubelet.yaml',
    `--root-dir=${folder}/kubelet`,
    `--node-ip=${nodeAddress}`,
  ]
  start('kubelet', [kube, 'kubelet', ...kubelet, '--hostname-override=node1'])
  const proxy = [
    '--kubeconfig=proxy.kubeconfig',
    `--cluster-cidr=${podRange}`,
    '--proxy-mode=iptables',
    '--conntrack-max-per-core=0',
  ]
  start('proxy', [kube, 'proxy', ...proxy, '--hostname-override=node1'])
}

/** DNS and metrics run as processes; Services lead to them. */
export function startServices() {
  write('Corefile', corefile)
  start('coredns', [`${bin}/coredns`, '-conf', 'Corefile'])
  start('metrics-server', [`${bin}/metrics-server`, ...metricsOptions])
}

function write(name, text) {
  writeFileSync(`${folder}/${name}`, text)
}

// Root without CAP_SYS_RESOURCE may not lower scores: without the first line no sandbox would start.
const containerdConfig = `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "registry.k8s.io/pause:3.10"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "${folder}/certs.d"
`

const registryConfig = `version: 0.1
storage: {filesystem: {rootdirectory: ${folder}/images/registry}, delete: {enabled: true}}
http: {addr: "${registry}"}
`

const corefile = `.:5353 {
  bind ${nodeAddress}
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig} turbolift-test
  }
  cache 5
}
`

const apiServerOptions = [
  '--etcd-servers=http://127.0.0.1:2379',
  `--service-cluster-ip-range=${serviceRange}`,
  `--advertise-address=${nodeAddress}`,
  '--bind-address=0.0.0.0',
  '--secure-port=6443',
  '--allow-privileged=true',
  '--authorization-mode=Node,RBAC',
  // The second is for clusters that ask who may own what, such as OpenShift: `jobs/finalizers` in the Role.
  '--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement',
  '--client-ca-file=pki/ca.crt',
  '--tls-cert-file=pki/apiserver.crt',
  '--tls-private-key-file=pki/apiserver.key',
  '--kubelet-client-certificate=pki/admin.crt',
  '--kubelet-client-key=pki/admin.key',
  '--kubelet-certificate-authority=pki/ca.crt',
  // By name it would not find the node, and logs and exec would fail.
  '--kubelet-preferred-address-types=InternalIP',
  '--service-account-issuer=https://kubernetes.default.svc',
  '--service-account-key-file=pki/sa.key',
  '--service-account-signing-key-file=pki/sa.key',
  '--requestheader-client-ca-file=pki/ca.crt',
  '--requestheader-allowed-names=front-proxy',
  '--requestheader-username-headers=X-Remote-User',
  '--requestheader-group-headers=X-Remote-Group',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
  '--proxy-client-cert-file=pki/front-proxy.crt',
  '--proxy-client-key-file=pki/front-proxy.key',
  '--profiling=false',
]

const controllerOptions = [
  '--kubeconfig=controllers.kubeconfig',
  '--allocate-node-cidrs=true',
  `--cluster-cidr=${podRange}`,
  '--node-cidr-mask-size=20',
  '--service-account-private-key-file=pki/sa.key',
  '--root-ca-file=pki/ca.crt',
  '--use-service-account-credentials=true',
  '--leader-elect=false',
  // Faster than the defaults, so that a test of autoscaling takes a minute and not ten.
  '--horizontal-pod-autoscaler-sync-period=5s',
  '--horizontal-pod-autoscaler-initial-readiness-delay=5s',
  '--horizontal-pod-autoscaler-cpu-initialization-period=15s',
]

const kubeletConfig = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
  cgroupDriver: 'cgroupfs',
  failSwapOn: false,
  clusterDomain: 'cluster.local',
  clusterDNS: [dnsAddress],
  maxPods: 250,
  authentication: { anonymous: { enabled: false }, x509: { clientCAFile: `${folder}/pki/ca.crt` } },
  authorization: { mode: 'Webhook' },
  tlsCertFile: `${folder}/pki/kubelet.crt`,
  tlsPrivateKeyFile: `${folder}/pki/kubelet.key`,
  resolvConf: '/etc/resolv.conf',
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  imageGCHighThresholdPercent: 100,
  serializeImagePulls: false,
  registryPullQPS: 0,
}

const metricsOptions = [
  '--kubeconfig=admin.kubeconfig',
  '--authentication-kubeconfig=admin.kubeconfig',
  '--authorization-kubeconfig=admin.kubeconfig',
  '--secure-port=4443',
  '--tls-cert-file=pki/metrics.crt',
  '--tls-private-key-file=pki/metrics.key',
  '--kubelet-certificate-authority=pki/ca.crt',
  '--kubelet-preferred-address-types=InternalIP',
  '--metric-resolution=15s',
  '--kubelet-client-certificate=pki/admin.crt',
  '--kubelet-client-key=pki/admin.key',
]
