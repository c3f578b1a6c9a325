import { benchBytes } from './bytes.ts'
import { benchEfficiency } from './efficiency.ts'
import { type Section, toText, writeSection } from './report.ts'
import { benchTinyCalls } from './tiny-calls.ts'

const benchmarks: Readonly<Record<string, () => Promise<Section>>> = {
  'tiny-calls': benchTinyCalls,
  efficiency: benchEfficiency,
  bytes: benchBytes,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => benchmarks[name] === undefined)
if (unknown.length > 0)
  throw new Error(`No benchmark ${unknown.join(', ')}. There are: ${Object.keys(benchmarks).join(', ')}.`)

for (const [name, bench] of Object.entries(benchmarks)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const section = await bench()
  console.log(toText(section))
  await writeSection('../docs/benchmarks.md', name, section)
}
