import { ConfigError, LiftError } from '../errors.ts'

/** `map(…, { cache })` names a folder that cannot be read or written. */
export function cacheFolderUnusable(folder: string, cause: unknown): ConfigError {
  return new ConfigError(
    'CACHE_FOLDER_UNUSABLE',
    {
      what: `The cache folder "${folder}" cannot be used.`,
      why: `Results are kept there so that a run that died goes on where it stopped, but ${toReason(cause)}.`,
      fix: 'Name a folder that this program may create, read and write, or leave out the cache option.',
    },
    { cause },
  )
}

/** A warning, not an error: the results themselves are fine. */
export function cacheUseFailed(folder: string, cause: unknown): LiftError {
  return new LiftError(
    'CACHE_WRITE_FAILED',
    {
      what: `Not all finished results can be kept in the cache folder "${folder}", or taken from it.`,
      why: `${toReason(cause)}.`,
      fix: 'Make room or repair the folder. This run goes on; a later one computes what is missing again.',
    },
    { cause },
  )
}

function toReason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
