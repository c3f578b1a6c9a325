import { invalidOption, unknownOption } from '../config/errors.ts'
import { closestName } from '../config/suggest.ts'
import { duration, count, choice, flag } from '../config/option.ts'
import type { Option, OptionTable } from '../config/option.ts'
import type { CacheFolder } from './cache.ts'
import type { CallOptions } from './lifted.ts'

/** Options of `map`, `starmap` and `forEach`. */
export interface MapOptions extends CallOptions {
  /** Most calls at a time. Default: as many as keep all workers busy, more when calls are tiny. */
  readonly concurrency?: number | undefined
  /** Whether results come in the order of the inputs (default) or as they are ready. */
  readonly ordered?: boolean
  /**
   * What a call that failed does: `throw` (default) ends the map with its error; `return` puts an outcome with
   * `status` in the place of each result, as `Promise.allSettled` does; `skip` leaves it out.
   */
  readonly onError?: 'throw' | 'return' | 'skip'
  /** With `return` and `skip`: more failures than this end the map with a `MapFailedError`. Default: no limit. */
  readonly maxFailures?: number | undefined
  /**
   * A folder that keeps every finished result, found again by the function's code, its captures and its input. So a
   * run that died goes on where it stopped, and a second one takes what is there. Any number of runs may share it. One
   * that other users can write to is refused, unless `{ folder, shared: true }` says that they are trusted.
   * It is not used in dev, and where no worker is called (`map` inside of one, ordinary functions).
   */
  readonly cache?: CacheFolder | undefined
}

/** One result of a map with `onError: 'return'`. */
export type Outcome<R> =
  | { readonly status: 'fulfilled'; readonly index: number; readonly value: R }
  | { readonly status: 'rejected'; readonly index: number; readonly reason: unknown }

const isSignal = (value: unknown) => value instanceof AbortSignal
const signal: Option<AbortSignal | undefined> = {
  default: undefined,
  about: 'Aborting it ends the call.',
  expects: 'an AbortSignal',
  fromText: () => undefined,
  accepts: isSignal,
}

const callOptions: OptionTable<CallOptions> = {
  timeoutMs: duration({ default: undefined, about: 'Longest time that the function may run.' }),
  signal,
  retries: count({ default: undefined, min: 0, about: 'Tries after the first that failed.' }),
  retryDelayMs: duration({ default: 100, about: 'Wait before the first retry; doubled for each one after it.' }),
}

const mapOptions: OptionTable<MapOptions> = {
  ...callOptions,
  concurrency: count({ default: undefined, min: 1, about: 'Most calls at a time.' }),
  ordered: flag({ default: true, about: 'Results in the order of the inputs.' }),
  onError: choice<'throw' | 'return' | 'skip'>({
    default: 'throw',
    of: ['throw', 'return', 'skip'],
    about: 'What a failed call does.',
  }),
  maxFailures: count({ default: undefined, min: 0, about: 'More failures end the map.' }),
  cache: {
    default: undefined,
    about: 'Folder that keeps finished results.',
    expects: 'a folder, or { folder, shared }',
    fromText: (folder) => folder,
    accepts: isCacheFolder,
  },
}

function isCacheFolder(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' && value !== ''
  const { folder, shared, ...others }: { folder?: unknown; shared?: unknown } = value
  const isFolder = typeof folder === 'string' && folder !== ''
  return isFolder && (shared === undefined || typeof shared === 'boolean') && Object.keys(others).length === 0
}

/** @throws ConfigError `OPTION_UNKNOWN`, `OPTION_INVALID` */
export function checkCallOptions(name: string, options: CallOptions): void {
  check(name, callOptions, options)
}

/** @throws ConfigError `OPTION_UNKNOWN`, `OPTION_INVALID` */
export function checkMapOptions(name: string, options: MapOptions): void {
  check(name, mapOptions, options)
}

function check(name: string, table: Readonly<Record<string, Option<unknown>>>, options: object): void {
  for (const [key, value] of Object.entries(options)) {
    const option = Object.hasOwn(table, key) ? table[key] : undefined
    const written = `${name}(…, { ${key} })`
    if (option === undefined) throw unknownOption(written, key, closestName(key, Object.keys(table)))
    if (value !== undefined && !option.accepts(value)) throw invalidOption(written, option.expects, value)
  }
}
