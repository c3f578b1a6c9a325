import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, expect, test } from 'vitest'

import { runTurbolift } from '../../test/limited-account.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

const now = new Date().toISOString()
const labels = {
  'app.kubernetes.io/managed-by': 'turbolift',
  'turbolift.dev/run': 'abc',
  'turbolift.dev/role': 'anchor',
  'turbolift.dev/program': 'renders',
}
const job = {
  metadata: {
    name: 'renders-abc',
    uid: 'u1',
    creationTimestamp: now,
    labels,
    annotations: {
      'turbolift.dev/user': 'eve\u001B]0;TITLE\u0007\u001B[2K',
      'turbolift.dev/host': 'h\nRUN2  renders  running',
      'turbolift.dev/pid': '1\u009B2K',
    },
  },
  spec: { activeDeadlineSeconds: 60 },
  status: { startTime: now },
}

/** A cluster whose only run was made by somebody else. @returns its kubeconfig */
async function startCluster(): Promise<string> {
  const server = createServer((request, response) => {
    const items = request.url?.includes('/jobs') === true ? [job] : []
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata: {}, items }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-ls-'))
  ends.push(
    () => server.close().closeAllConnections(),
    () => rmSync(folder, { recursive: true }),
  )
  const config = {
    'current-context': 'x',
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${Object(address).port}` } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  }
  writeFileSync(join(folder, 'config'), JSON.stringify(config))
  return join(folder, 'config')
}

test('what somebody else wrote on a run is shown, in its one line, and not obeyed', async () => {
  const { stdout, stderr } = await runTurbolift(['ls'], { environment: { KUBECONFIG: await startCluster() } })
  const [, run, ...more] = stdout.trimEnd().split('\n')
  expect(run, stderr).toMatch(
    /^abc +renders .* eve\\u001b]0;TITLE\\u0007\\u001b\[2K h RUN2 +renders +running 1\\u009b2K$/,
  )
  expect(more).toEqual([])
})

test('as JSON it has the same value, and no sign that a terminal obeys', async () => {
  const { stdout } = await runTurbolift(['ls', '--json'], { environment: { KUBECONFIG: await startCluster() } })
  expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u)
  const startedBy = Object.values(job.metadata.annotations).join(' ')
  expect(JSON.parse(stdout)).toMatchObject({ runs: [{ id: 'abc', startedBy }] })
})
