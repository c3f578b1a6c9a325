import { expect, test } from 'vitest'

import { runGroup } from './process-group.ts'

const DEADLINE_MS = 30_000

test('what a command leaves running ends with it, though it holds the output open', async () => {
  expect(await runGroup('sh', ['-c', 'sleep 1000 & echo done'], DEADLINE_MS)).toBe('done')
})

test('a command that takes too long is ended, with what it started', async () => {
  await expect(runGroup('sh', ['-c', 'sleep 1000 & wait'], 100)).rejects.toThrow('it was not done within 0.1 s')
})

test('a failure is told by the last line that the command wrote', async () => {
  const script = 'echo looking >&2; echo "no such package" >&2; exit 3'
  await expect(runGroup('sh', ['-c', script], DEADLINE_MS)).rejects.toThrow('no such package')
  await expect(runGroup('sh', ['-c', 'exit 3'], DEADLINE_MS)).rejects.toThrow('sh ended with code 3')
})
