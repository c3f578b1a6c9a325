import { isRefusal } from '../../deploy/client.ts'
import { DeployError } from '../../errors.ts'
import { listRuns } from '../runs.ts'
import { type Check, ok } from './check.ts'

export const metricsCheck: Check = {
  name: 'metrics',
  async run({ client, config, signal }) {
    const isNeeded = config.kubernetes.autoscale === 'cpu'
    try {
      await client.request({ method: 'GET', path: '/apis/metrics.k8s.io/v1beta1', signal, patienceMs: 1000 })
      return ok('the metrics API answers, so that autoscale "cpu" works')
    } catch (error) {
      // Unreachable: the API is announced, but what should answer for it does not.
      if (!(error instanceof DeployError)) throw error
      const fix = 'Install metrics-server, or stay with autoscale "queue", which needs no metrics.'
      return { state: isNeeded ? 'fail' : 'warn', text: 'no metrics API, so that autoscale "cpu" cannot work', fix }
    }
  },
}

export const ingressCheck: Check = {
  name: 'ingress',
  async run({ client, config, signal }) {
    const { ingress } = config.kubernetes
    try {
      const classes = await client.list('IngressClass', { signal })
      const names = classes.map(({ metadata }) => metadata?.name ?? '')
      if (ingress?.class !== undefined && !names.includes(ingress.class))
        return {
          state: 'fail',
          text: `there is no ingress class "${ingress.class}"`,
          fix: `Use one of: ${names.join(', ') || '(none)'}.`,
        }
      if (names.length > 0) return ok(`ingress classes: ${names.join(', ')}`)
      const isNeeded = ingress !== undefined && ingress.gateway === undefined
      return {
        state: isNeeded ? 'fail' : 'ok',
        text: 'no ingress class; only reach "ingress" needs one',
        ...(isNeeded ? { fix: 'Install an ingress controller.' } : {}),
      }
    } catch (error) {
      if (!isRefusal(error, 'Forbidden')) throw error
      return { state: 'skip', text: 'ingress classes may not be listed, which no run needs' }
    }
  },
}

export const leftoversCheck: Check = {
  name: 'leftovers',
  async run({ client, signal }) {
    const runs = await listRuns(client, { signal })
    const dead = runs.filter(({ state }) => state === 'expired' || state === 'suspended')
    if (dead.length === 0) return ok(`none; runs that are alive: ${runs.length}`)
    return {
      state: 'warn',
      text: `runs that should be gone: ${dead.map(({ id }) => id).join(', ')}`,
      fix: '"turbolift prune" removes them.',
    }
  },
}
