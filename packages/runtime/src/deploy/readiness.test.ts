import type { V1Pod, V1PodStatus } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'

import { isScaleUp, toDeploymentFailure, toEndReason, toEventFailure, toIncarnation, toPodState } from './readiness.ts'

const toPod = (status: V1PodStatus, metadata: V1Pod['metadata'] = {}): V1Pod => ({
  metadata: { name: 'w', ...metadata },
  spec: { containers: [{ name: 'worker', resources: { limits: { memory: '64Mi' } } }] },
  status,
})
const toStatus = (state: object, more: object = {}): V1PodStatus => ({
  containerStatuses: [
    { name: 'worker', image: 'node', imageID: '', ready: false, restartCount: 0, state, lastState: {}, ...more },
  ],
})
const crash = { terminated: { exitCode: 3, message: 'cannot find the answer' } }
const waiting = (reason: string, message: string) => toStatus({ waiting: { reason, message } })

describe('the state of a worker, by its pod', () => {
  const running = { ...toStatus({ running: {} }), podIP: '198.19.0.7' }

  test('runs, is ready, and is another one after a restart', () => {
    expect(toPodState(toPod(running))).toEqual({ kind: 'running', id: 'w', address: '198.19.0.7' })
    const conditions = [{ type: 'Ready', status: 'True' }]
    expect(toPodState(toPod({ ...running, conditions }))).toMatchObject({ kind: 'ready' })
    expect(toIncarnation(toPod(toStatus({ running: {} }, { restartCount: 2 })))).toBe('w.2')
  })

  test('starts, with the words of the cluster', () => {
    expect(toPodState(toPod({ phase: 'Pending' }))).toEqual({ kind: 'starting', reason: 'Pending' })
    expect(toPodState(toPod(waiting('ContainerCreating', '')))).toMatchObject({ kind: 'starting' })
    const behind = 'failed to sync secret cache: timed out waiting for the condition'
    expect(toPodState(toPod(waiting('CreateContainerConfigError', behind)))).toMatchObject({ kind: 'starting' })
  })

  test.each([
    ['ErrImagePull', 'IMAGE_PULL_FAILED', 12_000],
    ['ImagePullBackOff', 'IMAGE_PULL_FAILED', 12_000],
    ['InvalidImageName', 'IMAGE_PULL_FAILED', 0],
    ['CreateContainerConfigError', 'WORKER_NOT_STARTED', 0],
  ])('fails by %s', (reason, code, afterMs) => {
    const state = toPodState(toPod(waiting(reason, 'the words')))
    expect(state).toMatchObject({
      kind: 'failing',
      error: { code, message: expect.stringContaining('the words') },
      afterMs,
    })
  })

  test('fails by the scheduler only after a while: a node may come', () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are available' },
    ]
    const state = toPodState(toPod({ conditions }))
    expect(state).toMatchObject({ kind: 'failing', error: { code: 'POD_UNSCHEDULABLE' }, afterMs: 60_000 })
    expect(isScaleUp({ reason: 'TriggeredScaleUp', metadata: {}, involvedObject: {} })).toBe(true)
    expect(isScaleUp({ reason: 'NotTriggerScaleUp', metadata: {}, involvedObject: {} })).toBe(false)
  })

  test('one crash is bad luck, the second is a failure', () => {
    expect(toPodState(toPod(toStatus(crash)))).toMatchObject({ kind: 'starting' })
    const again = toStatus({ waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 1, lastState: crash })
    expect(toPodState(toPod(again))).toMatchObject({ kind: 'failing', error: { code: 'WORKER_EXITED' } })
  })
})

describe('why a worker ended', () => {
  test.each<[string, V1PodStatus, string | undefined]>([
    ['a normal end', toStatus({ terminated: { exitCode: 0 } }), undefined],
    ['a crash', toStatus(crash), 'WORKER_EXITED'],
    ["the kernel's out of memory", toStatus({ terminated: { exitCode: 137, reason: 'OOMKilled' } }), 'OUT_OF_MEMORY'],
    [
      "Node's out of memory",
      toStatus({ terminated: { exitCode: 134, message: 'JavaScript heap out of memory' } }),
      'OUT_OF_MEMORY',
    ],
    ['an eviction by the kubelet', { reason: 'Evicted', message: 'disk' }, 'POD_EVICTED'],
    [
      'an eviction by the API',
      { ...toStatus(crash), conditions: [{ type: 'DisruptionTarget', status: 'True', message: 'drained' }] },
      'POD_EVICTED',
    ],
  ])('%s', (_, status, code) => {
    expect(toEndReason(toPod({ phase: 'Failed', ...status }))?.code).toBe(code)
    expect(toPodState(toPod({ phase: 'Failed', ...status }))).toMatchObject({ kind: 'ended' })
  })
})

describe('what only events and the Deployment tell', () => {
  const event = (message: string, type = 'Warning') => ({
    type,
    reason: 'FailedMount',
    message,
    metadata: {},
    involvedObject: {},
  })

  test('a volume that cannot be mounted, but not what passes by itself', () => {
    expect(toEventFailure('w', event('configmap "none" not found'))).toMatchObject({ code: 'POD_NOT_SET_UP' })
    expect(toEventFailure('w', event('failed to sync configmap cache: timed out'))).toBeUndefined()
    expect(toEventFailure('w', event('fine', 'Normal'))).toBeUndefined()
  })

  test('pods that are refused', () => {
    const condition = { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: tight' }
    expect(toDeploymentFailure({ status: { conditions: [condition] } })?.error.code).toBe('QUOTA_EXCEEDED')
    expect(toDeploymentFailure({ status: { conditions: [{ ...condition, status: 'False' }] } })).toBeUndefined()
  })
})
