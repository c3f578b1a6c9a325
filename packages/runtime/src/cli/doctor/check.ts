import { performance } from '@turbolift/worker-base/clock'

import type { ResolvedConfig } from '../../config.ts'
import type { KubernetesClient } from '../../deploy/client.ts'
import { LiftError } from '../../errors.ts'
import { toVisibleLine } from '../../visible-text.ts'

/** What a check found. */
export interface Verdict {
  /** `warn`: a run works, but something that it may use does not. `skip`: could not be looked at. */
  readonly state: 'ok' | 'warn' | 'fail' | 'skip'
  readonly text: string
  /** What to do, where something is wrong. */
  readonly fix?: string
}

export interface Finding extends Verdict {
  readonly name: string
  readonly elapsedMs: number
}

export interface DoctorSite {
  readonly client: KubernetesClient
  readonly config: ResolvedConfig
  readonly signal: AbortSignal
}

export interface Check {
  readonly name: string
  run(site: DoctorSite): Promise<Verdict>
}

/** A check that throws has found what is wrong. */
export async function runCheck(check: Check, site: DoctorSite): Promise<Finding> {
  const began = performance.now()
  const verdict = await check.run(site).catch(toFailure)
  return { name: check.name, ...verdict, elapsedMs: Math.round(performance.now() - began) }
}

export function ok(text: string): Verdict {
  return { state: 'ok', text }
}

export function toFailure(error: unknown): Verdict {
  if (!(error instanceof LiftError))
    return { state: 'fail', text: error instanceof Error ? error.message : String(error) }
  const { what, why, fix } = error.explanation
  return { state: 'fail', text: `${error.code}: ${what} ${why}`, fix }
}

export function toLine({ state, name, text, fix, elapsedMs }: Finding): string {
  const mark = { ok: 'ok  ', warn: 'warn', fail: 'FAIL', skip: 'skip' }[state]
  const line = `${mark}  ${name.padEnd(14)}${toVisibleLine(text)} (${elapsedMs} ms)`
  return fix === undefined || fix === '' ? line : `${line}\n${' '.repeat(20)}fix: ${toVisibleLine(fix)}`
}
