import { describe, expect, it } from 'vitest'

import { claimCall, createCallIds, createClaims, hasStarted, revokeCall } from './claims.ts'

function takeId(ids: ReturnType<typeof createCallIds>): number {
  const id = ids.take()
  if (id === undefined) throw new Error('No id is free.')
  ids.offer(id)
  return id
}

describe('claims', () => {
  it('let a call begin once', () => {
    const claims = createClaims()
    const id = takeId(createCallIds(claims))
    expect(hasStarted(claims, id)).toBe(false)
    expect([claimCall(claims, id), claimCall(claims, id)]).toEqual([true, false])
    expect(hasStarted(claims, id)).toBe(true)
    expect(revokeCall(claims, id)).toBe(false)
  })

  it('let a call be taken back until it begins', () => {
    const claims = createClaims()
    const id = takeId(createCallIds(claims))
    expect(revokeCall(claims, id)).toBe(true)
    expect(claimCall(claims, id)).toBe(false)
  })

  it('do not mix up calls that use the same slot', () => {
    const claims = createClaims()
    const ids = createCallIds(claims)
    const old = takeId(ids)
    revokeCall(claims, old)
    ids.release(old)
    const next = takeId(ids)
    expect(next).not.toBe(old)
    expect([claimCall(claims, old), claimCall(claims, next)]).toEqual([false, true])
  })

  it('bound the calls in flight, and go on for ever', () => {
    const ids = createCallIds(createClaims())
    const taken = Array.from({ length: 4096 }, () => takeId(ids))
    expect(new Set(taken).size).toBe(4096)
    expect(ids.take()).toBe(undefined)
    for (const id of taken) ids.release(id)
    for (let round = 0; round < 600_000; round += 1) {
      const id = ids.take()
      if (id === undefined || id <= 0) throw new Error(`Round ${round} gave ${id}.`)
      ids.release(id)
    }
  })
})
