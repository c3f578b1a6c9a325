// A whole program for tests that hurt it: calls a function on the cluster, tells its results, and ends.
// Arguments: namespace, grace time in milliseconds, number of calls, how long each takes, how it reaches its workers,
// and a text that makes its code differ from that of others.
import { createClusterProgram } from '../../packages/runtime/test/cluster-program.ts'

const [namespace = '', graceMs, calls, callMs = '0', reach, mark = ''] = process.argv.slice(2)
const functions = {
  square: `/* ${mark} */ async (n) => { await new Promise((resolve) => setTimeout(resolve, ${Number(callMs)})); return n * n }`,
}
const program = createClusterProgram('squares', functions, {
  maxReplicas: 2,
  kubernetes: {
    namespace,
    delivery: 'mount',
    graceMs: Number(graceMs),
    resources: { cpu: '20m', memory: '192Mi' },
    reach: reach === 'port-forward' ? reach : 'direct',
  },
})
const square = program.lifted('square')
const inputs = Array.from({ length: Number(calls) }, (_, index) => index)
try {
  const results = await Promise.all(inputs.map((input) => square(input)))
  process.send?.({ results })
} catch (error) {
  const { code, message } = error instanceof Error && 'code' in error ? error : { code: String(error), message: '' }
  process.send?.({ code, message })
}
process.disconnect?.()
