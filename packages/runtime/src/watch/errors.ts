import { ConfigError, LiftError } from '../errors.ts'

/** @param why completes "…, but …" */
export function watchFolderUnsafe(folder: string, why: string, cause: unknown): ConfigError {
  return new ConfigError(
    'WATCH_FOLDER_UNSAFE',
    {
      what: `The watch folder "${folder}" cannot be used.`,
      why: `Error messages and worker output of your runs are written there, for you alone to read, but ${why}.`,
      fix: 'Name a folder of your own with TURBOLIFT_WATCH_FOLDER, or take away the rights of others (chmod 700).',
    },
    { cause },
  )
}

/** A warning: the run itself is fine. */
export function watchWriteFailed(folder: string, cause: unknown): LiftError {
  return new LiftError(
    'WATCH_WRITE_FAILED',
    {
      what: 'This run cannot be watched any more.',
      why: `Writing to "${folder}" failed: ${cause instanceof Error ? cause.message : String(cause)}.`,
      fix: 'Make room or repair the folder, and start the program again.',
    },
    { cause },
  )
}
