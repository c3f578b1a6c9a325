import { benchBytes } from './bytes.ts'
import { benchEfficiency } from './efficiency.ts'
import { benchOtherRuntimes } from './other-runtimes.ts'
import { type Section, toText, writeSection } from './report.ts'
import { benchTinyCalls } from './tiny-calls.ts'

const benchmarks: Readonly<Record<string, () => Promise<Section>>> = {
  'tiny-calls': benchTinyCalls,
  efficiency: benchEfficiency,
  bytes: benchBytes,
  'other-runtimes': benchOtherRuntimes,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => benchmarks[name] === undefined)
if (unknown.length > 0)
  throw new Error(`No benchmark ${unknown.join(', ')}. There are: ${Object.keys(benchmarks).join(', ')}.`)

// These need more than npm installs: Redis and three Python packages. They run only when asked for by name.
const onDemand = new Set(['other-runtimes'])

for (const [name, bench] of Object.entries(benchmarks)) {
  if (asked.length > 0 ? !asked.includes(name) : onDemand.has(name)) continue
  const section = await bench()
  console.log(toText(section))
  await writeSection('../docs/benchmarks.md', name, section)
}
