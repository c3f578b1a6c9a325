import { removeAnchor } from '../deploy/anchor.ts'
import type { KubernetesClient } from '../deploy/client.ts'
import { toVisibleLine } from '../visible-text.ts'
import { clusterExplanations, clusterOptions, openCluster } from './cluster.ts'
import { type Command, type CommandCall, flagOption, wrongUsage } from './command.ts'
import { removeRegistry } from './registry.ts'
import { type ListedRun, listRegistries, listRuns, pickRun } from './runs.ts'

export const down: Command = {
  about: 'Ends runs, and removes everything that they have in the cluster.',
  usage: '<run or registry>… | --all',
  options: { ...clusterOptions, all: { type: 'boolean' } },
  explain: { ...clusterExplanations, all: 'every run of the namespace, and the registry that stays' },
  async run(call) {
    const all = flagOption(call, 'all')
    if (all === call.positionals.length > 0)
      throw wrongUsage('"turbolift down" needs runs, or --all.', '"turbolift ls" lists the runs.')
    const { client } = await openCluster(call)
    const [runs, registries] = await Promise.all([listRuns(client, call), listRegistries(client, call)])
    const names = registries.map(({ name }) => name)
    const wanted = call.positionals.filter((name) => !names.includes(name)).map((name) => pickRun(runs, name))
    const failures = await endRuns(client, all ? runs : [...new Set(wanted)], call)
    for (const name of names.filter((one) => all || call.positionals.includes(one))) {
      await removeRegistry({ client, name, signal: call.signal })
      call.output.print(`${toVisibleLine(name)} is gone`)
    }
    if (all && runs.length + names.length === 0) call.output.print('There was nothing to end.')
    client[Symbol.dispose]()
    return failures === 0 ? 0 : 1
  },
}

async function endRuns(client: KubernetesClient, runs: readonly ListedRun[], { output }: CommandCall): Promise<number> {
  const ended = await Promise.allSettled(runs.map((run) => removeAnchor(client, run, run.uid)))
  ended.forEach((result, index) => {
    const name = runs[index]?.name ?? ''
    if (result.status === 'fulfilled') output.print(`${toVisibleLine(name)} is gone`)
    else output.note(result.reason instanceof Error ? result.reason.message : String(result.reason))
  })
  return ended.filter(({ status }) => status === 'rejected').length
}
