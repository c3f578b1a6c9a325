import { map } from 'turbolift'

import { type Block, countAllAsExtreme, countAsExtreme, meanDifference } from './permutation.ts'

/** Runs in a worker; everything else in this file stays in the main program. */
async function countBlock(block: Block): Promise<number> {
  'use lift'
  return countAsExtreme(block)
}

const permutations = Number(process.argv[2] ?? 80_000_000)
const blocks = toBlocks(permutations, 100)

const lifted = await countLifted(blocks)
printResult(lifted.asExtreme)

const single = countInOneProcess(blocks)
if (single.asExtreme !== lifted.asExtreme) throw new Error('The workers and one process disagree.')
printSpeed(lifted.ms, single.ms)

/** `map` draws a bar in a terminal while it works. */
async function countLifted(inputs: readonly Block[]) {
  const start = performance.now()
  let asExtreme = 0
  for await (const count of map(countBlock, inputs)) asExtreme += count
  return { asExtreme, ms: performance.now() - start }
}

function countInOneProcess(inputs: readonly Block[]) {
  const start = performance.now()
  const asExtreme = inputs.reduce((total, block) => total + countAsExtreme(block), 0)
  return { asExtreme, ms: performance.now() - start }
}

/** Each block has a seed of its own, so the result is the same however many workers share the blocks. */
function toBlocks(total: number, count: number): Block[] {
  const upTo = (index: number) => Math.floor((total * index) / count)
  return Array.from({ length: count }, (_, index) => ({
    seed: 1876n + BigInt(index),
    permutations: upTo(index + 1) - upTo(index),
  }))
}

/** Results go to stdout, progress and times to stderr: what you pipe on is the same at every run. */
function printResult(asExtreme: number) {
  const exact = countAllAsExtreme()
  console.log(`Darwin's maize: the crossed plants are ${meanDifference.toFixed(2)} inches taller. Is that chance?`)
  console.log(`  random swaps  ${toClaim(asExtreme, permutations)}`)
  console.log(`  all swaps     ${toClaim(exact.asExtreme, exact.swaps)}`)
}

function printSpeed(liftedMs: number, singleMs: number) {
  console.error(`  lifted        ${toSeconds(liftedMs)} for ${blocks.length} calls, start of the workers included`)
  console.error(`  one process   ${toSeconds(singleMs)}`)
  console.error(`  speed-up      ${(singleMs / liftedMs).toFixed(2)}`)
}

function toClaim(asExtreme: number, swaps: number): string {
  return `${asExtreme} of ${swaps} as far apart: p = ${(asExtreme / swaps).toFixed(4)}`
}

function toSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
