// Where the test cluster lives and which addresses it uses.
import { fileURLToPath } from 'node:url'

/** Everything that the cluster writes, the built programs included. */
export const folder = process.env.CLUSTER_DIR ?? '/var/tmp/turbolift-cluster'
export const bin = `${folder}/bin`
export const sources = fileURLToPath(new URL('programs', import.meta.url))

/** Added to the loopback interface, so that it is the same on every machine. From a range that no network uses (RFC 2544). */
export const nodeAddress = '198.19.255.1'
export const serviceRange = '198.18.0.0/16'
export const podRange = '198.19.0.0/17'
export const podRangeOfNode = '198.19.0.0/20'
export const dnsAddress = '198.18.0.10'
export const metricsAddress = '198.18.0.11'
/** Holds the base images, and takes what tests push; plain http. */
export const registry = `${nodeAddress}:5000`
/** CustomResourceDefinition of the Gateway API's HTTPRoute. */
export const routeDefinition = `${folder}/httproutes.yaml`
export const kubeconfig = `${folder}/admin.kubeconfig`

export const version = { git: 'v1.34.4', major: '1', minor: '34' }

export function say(text) {
  console.error(`${new Date().toTimeString().slice(0, 8)} ${text}`)
}
