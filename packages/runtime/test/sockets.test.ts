import { expect, test } from 'vitest'

import { createProgram } from './program.ts'

const calls = Number(process.env['CHAOS_CALLS'] ?? 100_000)
const seed = Number(process.env['CHAOS_SEED'] ?? 7)

/** What happens to a chunk that a worker sent, as code of the program; `deliver` hands on what it is given. */
const faults = {
  cut: 'socket.destroy()',
  truncated: 'deliver(chunk.subarray(0, random(chunk.length))); socket.destroy()',
  duplicated: 'deliver(chunk); deliver(chunk)',
  slow: 'socket.pause(); setTimeout(() => socket.resume(), 5); deliver(chunk)',
}

/**
 * How calls travel, and one chunk of how many is hurt: batches come in few chunks, though a worker is given up when five
 * connections break before it said hello. A time limit keeps calls apart.
 */
const ways = [
  { way: 'in batches', options: '{}', oneOf: 5 },
  { way: 'one by one', options: '{ timeoutMs: 60_000 }', oneOf: 10 },
]
const cases = Object.entries(faults).flatMap(([fault, code]) => ways.map((way) => ({ ...way, fault, code })))

test.each(cases)(
  `${calls} calls on sockets that are $fault, $way: every result is right, none is missing or doubled`,
  async ({ options, oneOf, code }) => {
    await using program = await createProgram({
      functions: 'work: async (n) => [n, n * 3],',
      options: { maxReplicas: 2, progress: false },
      main: `
      let [seed, faults, chunks, index, wrong] = [${seed}, 0, 0, 0, 0]
      const random = (most) => (seed = (seed * 48271) % 2147483647) % most
      const { subscribe } = await import('node:diagnostics_channel')
      subscribe('net.client.socket', ({ socket }) => {
        const emit = socket.emit
        socket.emit = (event, chunk, ...more) => {
          const deliver = (part) => emit.call(socket, event, part)
          const isSpared = event !== 'data' || (chunks += 1) < 10 || faults >= 12 || random(${oneOf}) > 0
          if (isSpared) return emit.call(socket, event, chunk, ...more)
          faults += 1
          ${code}
          return true
        }
      })
      for await (const [n, product] of map(work, Array.from({ length: ${calls} }, (_, n) => n), ${options})) {
        if (n !== index || product !== n * 3) wrong += 1
        index += 1
      }
      console.log(JSON.stringify({ index, wrong, isHurt: faults > 5 }))`,
    })
    const { stdout, stderr, exitCode } = await program.run()
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
    expect(JSON.parse(stdout)).toEqual({ index: calls, wrong: 0, isHurt: true })
    expect(await program.leftovers()).toEqual([])
  },
)
