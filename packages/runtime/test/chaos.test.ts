import { expect, test } from 'vitest'

import { createProgram } from './program.ts'

const calls = Number(process.env['CHAOS_CALLS'] ?? 100_000)
const seed = Number(process.env['CHAOS_SEED'] ?? 7)

test(`${calls} calls while workers are killed: every result is right, none is missing or doubled`, async () => {
  await using program = await createProgram({
    functions: `work: async (n) => {
      if (n % 100 === 7) await new Promise((resolve) => setTimeout(resolve, 1))
      return [n, n * 3, process.pid]
    },`,
    options: { maxReplicas: 3, progress: false },
    main: `
      const pids = new Set()
      let [kills, seed] = [0, ${seed}]
      const random = (most) => (seed = (seed * 48271) % 2147483647) % most
      let [index, wrong] = [0, 0]
      for await (const [n, product, pid] of map(work, Array.from({ length: ${calls} }, (_, n) => n))) {
        if (n !== index || product !== n * 3) wrong += 1
        index += 1
        pids.add(pid)
        if (kills < 12 && random(${calls} / 25) === 0) {
          kills += 1
          const alive = [...pids]
          const victim = alive[random(alive.length)]
          pids.delete(victim)
          try { process.kill(victim, 'SIGKILL') } catch { kills -= 1 }
        }
      }
      console.log(JSON.stringify({ index, wrong, killed: kills > 5 }))`,
  })
  const { stdout, stderr, exitCode } = await program.run()
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  expect(JSON.parse(stdout)).toEqual({ index: calls, wrong: 0, killed: true })
  expect(await program.leftovers()).toEqual([])
})
