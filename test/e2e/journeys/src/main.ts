// One program for all journeys: its first argument says how this run goes, the second is a file to meet the test by.
import { cancelled, held, retried, poisoned } from './scenarios/lost.ts'
import { exitCode, exitNow, pendingOutput, thrown, uncaughtRemote } from './scenarios/endings.ts'
import { hooks } from './scenarios/hooks.ts'
import { streams } from './scenarios/streams.ts'
import { remoteError, remoteOutput, remoteValue, values } from './scenarios/values.ts'

const scenarios: Readonly<Record<string, (path: string) => Promise<void>>> = {
  cancelled,
  exitCode,
  exitNow,
  held,
  hooks,
  pendingOutput,
  poisoned,
  remoteError,
  remoteOutput,
  remoteValue,
  retried,
  streams,
  thrown,
  uncaughtRemote,
  values,
}

const [name = '', path = ''] = process.argv.slice(2)
const scenario = scenarios[name]
if (scenario === undefined) throw new Error(`No scenario "${name}".`)
await scenario(path)
