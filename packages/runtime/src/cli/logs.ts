import type { V1Pod } from '@kubernetes/client-node'

import type { KubernetesClient } from '../deploy/client.ts'
import { poolLabel, roleLabel, runLabel } from '../deploy/names.ts'
import { clusterExplanations, clusterOptions, openCluster } from './cluster.ts'
import { type Command, type CommandCall, flagOption, textOption, wrongUsage } from './command.ts'
import { listRuns, pickRun } from './runs.ts'

export const logs: Command = {
  about: 'Shows what the workers of a run print, and the log of its image build.',
  usage: '<run> [--follow] [--pool <name>] [--tail <lines>]',
  options: {
    ...clusterOptions,
    follow: { type: 'boolean', short: 'f' },
    pool: { type: 'string' },
    tail: { type: 'string' },
  },
  explain: {
    ...clusterExplanations,
    follow: 'go on until the run ends',
    pool: 'only workers of this pool',
    tail: 'only the last lines of each pod',
  },
  async run(call) {
    const [wanted] = call.positionals
    if (wanted === undefined) throw wrongUsage('"turbolift logs" needs a run.', '"turbolift ls" lists the runs.')
    const { client } = await openCluster(call)
    const { id } = pickRun(await listRuns(client, call), wanted)
    const source = { client, run: id, ...toSelection(call) }
    await (flagOption(call, 'follow') ? followAll(source, call) : printAll(source, call))
    client[Symbol.dispose]()
    return 0
  },
}

interface LogSource {
  readonly client: KubernetesClient
  readonly run: string
  readonly labelSelector: string
  readonly tailLines: number | undefined
}

function toSelection(call: CommandCall): Pick<LogSource, 'labelSelector' | 'tailLines'> {
  const pool = textOption(call, 'pool')
  const tail = textOption(call, 'tail')
  const tailLines = tail === undefined ? undefined : Number(tail)
  if (tailLines !== undefined && !(Number.isSafeInteger(tailLines) && tailLines >= 0))
    throw wrongUsage(`--tail wants a number of lines, not "${tail}".`, 'Write --tail 100, for example.')
  const wanted = pool === undefined ? `${roleLabel} in (worker,build)` : `${poolLabel}=${pool}`
  return { labelSelector: wanted, tailLines }
}

async function printAll(source: LogSource, { output, signal }: CommandCall): Promise<void> {
  const pods = await source.client.list('Pod', {
    labelSelector: `${runLabel}=${source.run},${source.labelSelector}`,
    signal,
  })
  if (pods.length === 0) output.note('The run has no pods.')
  for (const pod of pods.filter(hasStarted)) {
    const name = pod.metadata?.name ?? ''
    const request = source.tailLines === undefined ? { signal } : { tailLines: source.tailLines, signal }
    const text = await source.client.readLog(name, request)
    for (const line of text.replace(/\n$/, '').split('\n')) output.print(`${toLabel(pod)} ${line}`)
  }
}

/** Every pod's lines as they come, those of pods that start later too, until the run's last pod is gone. */
async function followAll(source: LogSource, call: CommandCall): Promise<void> {
  const { client, run, labelSelector } = source
  const stop = new AbortController()
  const signal = AbortSignal.any([call.signal, stop.signal])
  const followed = new Map<string, Promise<void>>()
  let left = 0
  try {
    for await (const event of client.watch('Pod', { labelSelector: `${runLabel}=${run},${labelSelector}`, signal })) {
      if (event.type === 'SYNCED') continue
      const name = event.object.metadata?.name ?? ''
      left += event.type === 'ADDED' ? 1 : event.type === 'DELETED' ? -1 : 0
      if (event.type === 'DELETED' && left === 0 && (await isOver(client, run, signal))) break
      if (!followed.has(name) && hasStarted(event.object)) followed.set(name, follow(source, event.object, call))
    }
  } finally {
    stop.abort()
  }
  await Promise.all(followed.values())
}

async function follow({ client, tailLines }: LogSource, pod: V1Pod, { output, signal }: CommandCall): Promise<void> {
  const request = tailLines === undefined ? { signal } : { tailLines, signal }
  try {
    for await (const line of client.followLog(pod.metadata?.name ?? '', request))
      output.print(`${toLabel(pod)} ${line}`)
  } catch (error) {
    signal.throwIfAborted()
    output.note(
      `${toLabel(pod)} (the log ended: ${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)})`,
    )
  }
}

async function isOver(client: KubernetesClient, run: string, signal: AbortSignal): Promise<boolean> {
  const anchors = await client.list('Job', { labelSelector: `${runLabel}=${run},${roleLabel}=anchor`, signal })
  return anchors.every(({ metadata }) => metadata?.deletionTimestamp !== undefined)
}

function hasStarted(pod: V1Pod): boolean {
  return (
    pod.status?.containerStatuses?.some(
      ({ state }) => state?.running !== undefined || state?.terminated !== undefined,
    ) ?? false
  )
}

/** What differs between the pods of a run: the end of their names. */
function toLabel({ metadata }: V1Pod): string {
  const name = metadata?.name ?? ''
  const run = metadata?.labels?.[runLabel] ?? ''
  return `[${name.slice(name.indexOf(run) + run.length + 1) || name}]`
}
