import type { ConfigInput } from '../config.ts'

/** `configure()` inside of a worker: the run is configured by the main program, so this does nothing. */
export function configure(_options: ConfigInput): void {
  return undefined
}
