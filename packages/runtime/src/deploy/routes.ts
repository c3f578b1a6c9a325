// Objects that lead from outside to a pool's Service.
import type { KubernetesObject, V1Ingress } from '@kubernetes/client-node'

import { toPoolName } from './names.ts'
import { toMetadata, toPoolLabels } from './objects.ts'
import type { PoolObjects } from './objects.ts'
import type { IngressInput } from './options.ts'

/** Path that leads to a pool, without a slash at its end. */
export function toRoutePath({ run, pool }: Pick<PoolObjects, 'run' | 'pool'>, { path }: IngressInput): string {
  const own = path ?? `/turbolift/${run.id}/${encodeURIComponent(pool)}`
  return own.replace(/\/+$/, '')
}

export function toIngress(pool: PoolObjects, route: IngressInput): V1Ingress {
  const name = toPoolName(pool.run, pool.pool)
  const backend = { service: { name, port: { name: 'http' } } }
  const { tls } = route
  return {
    metadata: {
      ...toMetadata(pool, name),
      labels: toPoolLabels(pool),
      annotations: { ...longCalls, ...route.annotations },
    },
    spec: {
      ...(route.class === undefined ? {} : { ingressClassName: route.class }),
      ...(tls === undefined || tls === false
        ? {}
        : { tls: [{ hosts: [route.host], ...(tls === true ? {} : { secretName: tls }) }] }),
      rules: [
        { host: route.host, http: { paths: [{ path: `${toRoutePath(pool, route)}/`, pathType: 'Prefix', backend }] } },
      ],
    },
  }
}

export interface HttpRoute extends KubernetesObject {
  readonly spec: object
}

/** @see https://gateway-api.sigs.k8s.io/api-types/httproute/ */
export function toHttpRoute(
  pool: PoolObjects,
  route: IngressInput & Required<Pick<IngressInput, 'gateway'>>,
): HttpRoute {
  const name = toPoolName(pool.run, pool.pool)
  const { gateway, host, annotations } = route
  return {
    metadata: { ...toMetadata(pool, name), labels: toPoolLabels(pool), annotations: { ...annotations } },
    spec: {
      parentRefs: [{ ...gateway }],
      hostnames: [host],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: toRoutePath(pool, route) } }],
          backendRefs: [{ name, port: 80 }],
          // Calls may run for long: the gateway is not to end them.
          timeouts: { request: '0s', backendRequest: '0s' },
        },
      ],
    },
  }
}

// One connection carries a whole run: it must not be cut, nor its bodies be kept back or limited.
const longCalls = {
  'nginx.ingress.kubernetes.io/proxy-read-timeout': '86400',
  'nginx.ingress.kubernetes.io/proxy-send-timeout': '86400',
  'nginx.ingress.kubernetes.io/proxy-body-size': '0',
  'nginx.ingress.kubernetes.io/proxy-request-buffering': 'off',
  'nginx.ingress.kubernetes.io/proxy-buffering': 'off',
}
