import { afterAll, beforeAll, expect, test } from 'vitest'

import { createTestNamespace, type TestNamespace } from '../../../../test/cluster/namespace.ts'
import { untilGone } from '../../../../test/cluster/wait.ts'
import { buildEnvironment } from '../../test/build-environment.ts'
import { holdRun } from '../../test/held-run.ts'
import { createLimitedAccount, type LimitedAccount, runTurbolift } from '../../test/limited-account.ts'
import { managedSelector } from '../deploy/names.ts'

let space: TestNamespace
let account: LimitedAccount
beforeAll(async () => {
  space = await createTestNamespace('commands')
  account = await createLimitedAccount(space, { name: 'commands', environment: buildEnvironment })
})
afterAll(async () => {
  account[Symbol.dispose]()
  await space[Symbol.asyncDispose]()
})

/** As the program's own account, which may do no more than runs need. */
function turbolift(...args: readonly string[]) {
  const environment = { ...buildEnvironment, KUBECONFIG: account.kubeconfig }
  return runTurbolift([...args, '-n', space.name], { environment })
}

test('ls shows runs with their program, workers, age and who started them', async () => {
  await using held = await holdRun(space, 'shown', 2)
  const { stdout } = await turbolift('ls')
  expect(stdout).toMatch(/^RUN +PROGRAM +STATE +AGE +WORKERS +GRACE LEFT +STARTED BY$/m)
  expect(stdout).toMatch(new RegExp(`^${held.run.id} +shown +running +\\d+s +2/2 +\\d+s +ada desk 7$`, 'm'))
  const listed: unknown = JSON.parse((await turbolift('ls', '--json')).stdout)
  expect(listed).toMatchObject({ runs: [{ id: held.run.id, readyWorkers: 2, state: 'running' }], registries: [] })
})

test('ls says when there are none', async () => {
  await untilGone(space.client, managedSelector, 20_000)
  expect((await turbolift('ls')).stdout).toBe(`No runs in the namespace "${space.name}".\n`)
})

test('logs shows what each worker printed', async () => {
  await using held = await holdRun(space, 'printing', 2)
  const { stdout, code } = await turbolift('logs', held.run.id.slice(0, 5))
  expect(code).toBe(0)
  expect(stdout.match(/^\[default-\S+\] started$/gm)).toHaveLength(2)
  const tail = await turbolift('logs', held.run.name, '--tail', '1', '--pool', 'default')
  expect(tail.stdout.match(/^\[default-\S+\] still here$/gm)).toHaveLength(2)
})

test('logs follows a run to its end', async () => {
  const held = await holdRun(space, 'followed', 1)
  const following = turbolift('logs', held.run.id, '--follow')
  const ended = await turbolift('down', held.run.id)
  expect(ended.stdout).toBe(`${held.run.name} is gone\n`)
  const { code, stdout } = await following
  expect(code).toBe(0)
  expect(stdout).toContain('still here')
  await held[Symbol.asyncDispose]()
})

test('down ends the runs that it is told, and only these', async () => {
  const first = await holdRun(space, 'first', 1)
  await using second = await holdRun(space, 'second', 1)
  const { stdout, code } = await turbolift('down', first.run.id)
  expect([code, stdout]).toEqual([0, `${first.run.name} is gone\n`])
  const labelSelector = `turbolift.dev/run=${first.run.id}`
  await untilGone(space.client, labelSelector, 0)
  expect((await turbolift('ls')).stdout).toContain(second.run.id)
  await first[Symbol.asyncDispose]()
})

test('down --all ends every run', async () => {
  const runs = [await holdRun(space, 'one', 1), await holdRun(space, 'two', 1)]
  const { code } = await turbolift('down', '--all')
  expect(code).toBe(0)
  await untilGone(space.client, managedSelector, 0)
  await Promise.all(runs.map((run) => run[Symbol.asyncDispose]()))
  expect((await turbolift('down', '--all')).stdout).toBe('There was nothing to end.\n')
})

test('a run that does not exist is wrong usage', async () => {
  const { code, stderr } = await turbolift('down', 'none')
  expect([code, stderr]).toEqual([2, expect.stringContaining('There is no run "none"')])
  expect((await turbolift('logs')).code).toBe(2)
  expect((await turbolift('down')).code).toBe(2)
})
