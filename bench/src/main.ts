import { benchBuildCost } from './build-cost.ts'
import { benchBytes } from './bytes.ts'
import { benchClusterCalls } from './cluster-calls.ts'
import { benchColdStart } from './cold-start.ts'
import { benchEfficiency } from './efficiency.ts'
import { benchMapMemory, runMapMemory } from './map-memory.ts'
import { benchOtherRuntimes } from './other-runtimes.ts'
import { type Section, toText, writeSection } from './report.ts'
import { benchTinyCalls } from './tiny-calls.ts'
import { benchWatching } from './watching.ts'

const benchmarks: Readonly<Record<string, () => Promise<Section>>> = {
  'tiny-calls': benchTinyCalls,
  efficiency: benchEfficiency,
  bytes: benchBytes,
  'map-memory': benchMapMemory,
  watching: benchWatching,
  'build-cost': benchBuildCost,
  'other-runtimes': benchOtherRuntimes,
  'cold-start': benchColdStart,
  'cluster-calls': benchClusterCalls,
}

// These need more than npm installs: Redis and three Python packages, or a cluster. They run only when asked for by name.
const onDemand = new Set(['other-runtimes', 'cold-start', 'cluster-calls'])

const [first, second] = process.argv.slice(2)
await (first === 'run-map-memory' ? runMapMemory(Number(second)) : runBenchmarks(process.argv.slice(2)))

async function runBenchmarks(asked: readonly string[]) {
  const unknown = asked.filter((name) => benchmarks[name] === undefined)
  const known = Object.keys(benchmarks).join(', ')
  if (unknown.length > 0) throw new Error(`No benchmark ${unknown.join(', ')}. There are: ${known}.`)
  for (const [name, bench] of Object.entries(benchmarks)) {
    if (asked.length > 0 ? !asked.includes(name) : onDemand.has(name)) continue
    const section = await bench()
    console.log(toText(section))
    await writeSection('../docs/benchmarks.md', name, section)
  }
}
