import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { createTestNamespace, type TestNamespace } from '../../../../test/cluster/namespace.ts'
import { listAll } from '../../../../test/cluster/wait.ts'
import { buildProgram, type BuiltProgram } from '../../../../test/programs/build.ts'
import { runProgram } from '../../../../test/programs/run.ts'
import { buildEnvironment } from '../../test/build-environment.ts'
import { createLimitedAccount } from '../../test/limited-account.ts'
import { makeProgramImage } from '../../test/program-image.ts'
import { managedSelector } from '../deploy/names.ts'

const executor = join(process.env['CLUSTER_DIR'] ?? '/var/tmp/turbolift-cluster', 'bin', 'executor')

let space: TestNamespace
let program: BuiltProgram
beforeAll(async () => {
  space = await createTestNamespace('executor')
  program = await buildProgram(fileURLToPath(new URL('../../../../playground/squares', import.meta.url)))
})
afterAll(async () => {
  await program[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

test('a program in a container that has the executor builds by itself, as a child process', async () => {
  const expected = (await runProgram(program, { target: 'inline', args: [] })).stdout
  // Only for its service account: the program finds its token in the pod.
  using _ = await createLimitedAccount(space, { name: 'program', environment: buildEnvironment })
  const image = await makeProgramImage('test-executor', { 'kaniko/executor': executor, 'app/main.js': program.main })
  const pods = watchBuildPods()
  const { phase, log } = await runInPod(image)
  expect(log, log).toContain(expected)
  expect(phase).toBe('Succeeded')
  expect(await pods.stop()).toEqual([])
  expect(await listAll(space.client, managedSelector)).toEqual([])
})

async function runInPod(image: string): Promise<{ readonly phase: string; readonly log: string }> {
  const { client } = space
  const variables = { ...buildEnvironment, TURBOLIFT_TARGET: 'kubernetes', TURBOLIFT_DELIVERY: 'image' }
  const env = Object.entries(variables).map(([name, value]) => ({ name, value }))
  const capabilities = { drop: ['ALL'], add: ['CHOWN', 'FOWNER', 'DAC_OVERRIDE'] }
  const securityContext = { runAsUser: 0, allowPrivilegeEscalation: false, capabilities }
  const container = { name: 'main', image, command: ['node', '/app/main.js'], env, securityContext }
  const spec = { restartPolicy: 'Never', serviceAccountName: 'program', containers: [container] }
  await client.create('Pod', { metadata: { name: 'program' }, spec })
  const signal = AbortSignal.timeout(120_000)
  for await (const event of client.watch('Pod', { fieldSelector: 'metadata.name=program', signal })) {
    const phase = event.type === 'SYNCED' ? undefined : event.object.status?.phase
    if (phase === 'Succeeded' || phase === 'Failed') return { phase, log: await client.readLog('program') }
  }
  throw new Error('the watch ended')
}

/** Names of the build pods that were there at any time. */
function watchBuildPods(): { stop(): Promise<readonly string[]> } {
  const stop = new AbortController()
  const seen: string[] = []
  const watching = (async () => {
    const options = { labelSelector: 'turbolift.dev/role=build', signal: stop.signal }
    for await (const event of space.client.watch('Pod', options)) {
      if (event.type === 'ADDED') seen.push(event.object.metadata?.name ?? '')
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
  })
  return {
    async stop() {
      stop.abort()
      await watching
      return seen
    },
  }
}
