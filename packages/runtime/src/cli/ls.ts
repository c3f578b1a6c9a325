import { clusterExplanations, clusterOptions, openCluster } from './cluster.ts'
import { type Command, flagOption } from './command.ts'
import { type ListedRegistry, type ListedRun, listRegistries, listRuns, toAgeText } from './runs.ts'
import { toTable } from './text-table.ts'

export const ls: Command = {
  about: 'Lists the runs of a namespace and the registries that stay.',
  usage: '[--json]',
  options: { ...clusterOptions, json: { type: 'boolean' } },
  explain: { ...clusterExplanations, json: 'one JSON document in place of tables' },
  async run(call) {
    const { client } = await openCluster(call)
    const [runs, registries] = await Promise.all([listRuns(client, call), listRegistries(client, call)])
    if (flagOption(call, 'json'))
      call.output.print(JSON.stringify({ namespace: client.namespace, runs, registries }, null, 2))
    else call.output.print(toText(client.namespace, runs, registries))
    client[Symbol.dispose]()
    return 0
  },
}

function toText(namespace: string, runs: readonly ListedRun[], registries: readonly ListedRegistry[]): string {
  const none = `No runs in the namespace "${namespace}".`
  const parts = [runs.length === 0 ? none : toRunTable(runs)]
  if (registries.length > 0) parts.push(toRegistryTable(registries))
  return parts.join('\n\n')
}

function toRunTable(runs: readonly ListedRun[]): string {
  const rows = runs.map((run) => [
    run.id,
    run.program,
    run.state,
    toAgeText(run.ageSeconds),
    `${run.readyWorkers}/${run.workers}`,
    run.leftSeconds === undefined ? '-' : `${Math.max(0, run.leftSeconds)}s`,
    run.startedBy,
  ])
  return toTable([['RUN', 'PROGRAM', 'STATE', 'AGE', 'WORKERS', 'GRACE LEFT', 'STARTED BY'], ...rows])
}

function toRegistryTable(registries: readonly ListedRegistry[]): string {
  const rows = registries.map(({ name, isReady, ageSeconds }) => [
    name,
    isReady ? 'ready' : 'not ready',
    toAgeText(ageSeconds),
  ])
  return toTable([['REGISTRY', 'STATE', 'AGE'], ...rows])
}
