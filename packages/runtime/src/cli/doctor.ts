import { clusterExplanations, clusterOptions, openCluster } from './cluster.ts'
import { type Command, type CommandCall, flagOption } from './command.ts'
import { clusterCheck, namespaceCheck, permissionCheck } from './doctor/access.ts'
import { anchorCheck } from './doctor/anchor.ts'
import { type Check, type DoctorSite, type Finding, runCheck, toLine } from './doctor/check.ts'
import { travel } from './doctor/journey.ts'
import { buildPodCheck, workerPodCheck } from './doctor/pods.ts'
import { ingressCheck, leftoversCheck, metricsCheck } from './doctor/surroundings.ts'

/** Only look. */
const looks: readonly Check[] = [
  namespaceCheck,
  permissionCheck,
  workerPodCheck,
  buildPodCheck,
  metricsCheck,
  ingressCheck,
  leftoversCheck,
]

export const doctor: Command = {
  about: 'Checks what a run needs of the cluster, by a real tiny run; says what to do where something is missing.',
  usage: '[--quick] [--json]',
  options: { ...clusterOptions, quick: { type: 'boolean' }, json: { type: 'boolean' } },
  explain: { ...clusterExplanations, quick: 'only look: create nothing', json: 'one JSON document in place of lines' },
  async run(call) {
    const { client, config } = await openCluster(call)
    const site: DoctorSite = { client, config, signal: call.signal }
    const findings = await examine(site, call)
    if (flagOption(call, 'json')) call.output.print(JSON.stringify({ namespace: client.namespace, findings }, null, 2))
    client[Symbol.dispose]()
    return findings.some(({ state }) => state === 'fail') ? 1 : 0
  },
}

/** Without an answer from the cluster nothing else can be said. */
async function examine(site: DoctorSite, call: CommandCall): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const add = (found: readonly Finding[]) => {
    findings.push(...found)
    if (!flagOption(call, 'json')) for (const finding of found) call.output.print(toLine(finding))
  }
  add([await runCheck(clusterCheck, site)])
  if (findings.some(({ state }) => state === 'fail')) return findings
  add(await Promise.all(looks.map((check) => runCheck(check, site))))
  if (flagOption(call, 'quick')) return findings
  const cleanUp = runCheck(anchorCheck, site)
  add(await travel(site))
  add([await cleanUp])
  return findings
}
