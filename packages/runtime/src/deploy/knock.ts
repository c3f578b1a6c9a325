import type { Duplex } from 'node:stream'

import { delay } from '@turbolift/worker-base/clock'

import type { PodTarget, Routes } from './reach.ts'

const firstPauseMs = 20
const longestPauseMs = 250

/**
 * Connects to a worker as soon as it listens. The readiness probe says so too, but up to a second later:
 * it looks once a second, and its first look often comes just before the worker listens.
 */
export async function connectWhenListening(routes: Routes, pod: PodTarget, signal: AbortSignal): Promise<Duplex> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
    try {
      return await routes.dial(pod, { signal })
    } catch {
      // It does not listen yet. If it never does, its pod's state says why.
      signal.throwIfAborted()
    }
    await delay(pauseMs, { signal, ref: false })
  }
}
