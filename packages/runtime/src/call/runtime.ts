import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

import type { ConfigInput } from '../config.ts'
import { checkLayer, checkPools, resolveConfig } from '../config/resolve.ts'
import { configuredTooLate } from '../config/errors.ts'
import type { LiftManifest } from '../manifest.ts'
import { startWatching } from '../watch/start.ts'
import { Session } from './session.ts'

/** What all copies of this package in one process share: a bundle may hold it twice, or two bundles may meet. */
interface SharedState {
  readonly configured: ConfigInput[]
  /** By manifest hash. */
  readonly sessions: Map<string, Session>
}

const KEY = Symbol.for('turbolift.runtime/1')

/**
 * Sets options at run time; they win over the environment and over `turbolift({ … })`. Call it before the first lifted
 * call. What several calls of it say is merged, the later wins.
 * @throws ConfigError `OPTION_UNKNOWN`, `OPTION_INVALID`, `CONFIGURED_TOO_LATE`
 */
export function configure(options: ConfigInput): void {
  const { configured, sessions } = sharedState()
  // A dev server evaluates a module anew after each edit.
  const isKnown = configured.some((known) => isDeepStrictEqual(known, options))
  if (sessions.size > 0 && isKnown) return
  if (sessions.size > 0) throw configuredTooLate()
  checkLayer({ name: 'configure', values: options })
  configured.push(options)
}

/** The session of a program, begun with its first call. */
export function sessionOf(manifest: LiftManifest): Session {
  const { configured, sessions } = sharedState()
  const known = sessions.get(manifest.hash)
  if (known !== undefined) return known
  const config = resolveConfig({ manifest: manifest.options, environment: process.env, configured })
  const pools = Object.values(manifest.functions).map(({ pool }) => pool)
  // In dev functions are found as they are called.
  if (manifest.isDev !== true) checkPools(configured, ['default', ...pools])
  const run = { runId: randomUUID(), program: manifest.program, target: config.run.target }
  const watching = startWatching(run, config.run)
  const session = new Session({ manifest, config, watching, onEnd: () => sessions.delete(manifest.hash) })
  sessions.set(manifest.hash, session)
  return session
}

// The one place that reads an untyped global; only this function writes it.
function sharedState(): SharedState {
  const holder = globalThis as { [KEY]?: SharedState }
  holder[KEY] ??= { configured: [], sessions: new Map() }
  return holder[KEY]
}
