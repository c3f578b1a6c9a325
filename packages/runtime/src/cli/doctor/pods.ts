import { toBuildPod } from '../../deliver/build-pod.ts'
import { resolveImageOptions } from '../../deliver/options.ts'
import { createRunIdentity } from '../../deploy/names.ts'
import { toWorkerDeployment } from '../../deploy/worker-objects.ts'
import type { Check, DoctorSite } from './check.ts'
import { ok } from './check.ts'
import { absentOwner, isAllowed } from './access.ts'

/** The cluster's word on a worker pod: policy, quota, webhooks, service account. */
export const workerPodCheck: Check = {
  name: 'worker pod',
  async run(site) {
    if (!(await mayCreatePods(site)))
      return { state: 'skip', text: 'pods may not be created directly, which this configuration does not need' }
    const run = createRunIdentity('doctor')
    const code = {
      image: 'doctor',
      command: ['node'],
      workingDir: '/',
      volumes: [],
      volumeMounts: [],
      imagePullSecrets: [],
    }
    const pool = {
      run,
      owner: absentOwner,
      pool: 'default',
      functions: [],
      code,
      build: '',
      concurrency: 1,
      timeoutMs: 0,
      programArguments: [],
      options: site.config.kubernetes,
      isSecure: true,
    }
    const { template } = toWorkerDeployment(pool).spec ?? {}
    const metadata = { ...template?.metadata, name: run.name }
    await site.client.create(
      'Pod',
      { metadata, ...(template?.spec === undefined ? {} : { spec: template.spec }) },
      { dryRun: true, signal: site.signal },
    )
    return ok('the namespace takes worker pods')
  },
}

export const buildPodCheck: Check = {
  name: 'build pod',
  async run(site) {
    const { delivery, image } = site.config.kubernetes
    const options = resolveImageOptions(image)
    if (delivery !== 'image' || options.builder !== 'kaniko')
      return { state: 'skip', text: 'this configuration builds without a pod' }
    const run = createRunIdentity('doctor')
    const pod = toBuildPod({
      name: run.name,
      scope: { namespace: site.client.namespace, labels: run.labels, owner: absentOwner },
      target: { destination: 'doctor/doctor:doctor', host: 'doctor', isInsecure: false },
      options: options.kaniko,
      pushSecret: undefined,
      certificates: undefined,
      runsCommands: options.apt.length + options.npm.length > 0,
      architecture: options.architecture,
    })
    await site.client.create('Pod', pod, { dryRun: true, signal: site.signal })
    return ok('the namespace takes the pod that builds images')
  },
}

function mayCreatePods(site: DoctorSite): Promise<boolean> {
  return isAllowed(site, { group: '', resource: 'pods', verb: 'create' })
}
