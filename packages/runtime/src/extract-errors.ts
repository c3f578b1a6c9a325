import { DeployError } from './errors.ts'

/** The bundle was built by a plugin that writes another version of the manifest. */
export function manifestVersion(version: number): DeployError {
  return new DeployError('MANIFEST_VERSION', {
    what: `This program was built for version ${version} of turbolift's manifest.`,
    why: 'The plugin that built it and the runtime inside it are of different releases.',
    fix: 'Install the same version of "turbolift" and "vite-plugin-turbolift", and build again.',
  })
}

/** @param why completes "The worker files in this program are damaged: …" */
export function manifestDamaged(why: string, cause: unknown): DeployError {
  return new DeployError(
    'MANIFEST_DAMAGED',
    {
      what: 'The worker files inside this program are not as they were built.',
      why: `Damaged in storage, or changed after the build: ${why}.`,
      fix: 'Build the program again, and keep other tools from editing the bundle.',
    },
    { cause },
  )
}

/**
 * Others can change what is in a folder: worker code that would be started from it, results that would be taken from it.
 * @param why completes "…, but …"
 */
export function folderUnsafe(folder: string, why: string, use: 'code' | 'results' = 'code'): DeployError {
  const isCode = use === 'code'
  return new DeployError('FOLDER_UNSAFE', {
    what: `${isCode ? 'Worker files are' : 'Finished results are'} not put into "${folder}".`,
    why: `Who can change what is there decides ${isCode ? 'what code workers run' : 'what this program computes with'}, but ${why}.`,
    fix: isCode
      ? 'Choose a folder of your own with TURBOLIFT_CACHE_FOLDER, or take away the write permission of others.'
      : "Choose a folder of your own, take away the write permission of others, or write cache: { folder: '…', shared: true } if you trust all who may write there.",
  })
}

/** Worker files cannot be written. */
export function folderUnusable(folder: string, cause: unknown): DeployError {
  return new DeployError(
    'FOLDER_UNUSABLE',
    {
      what: `Worker files cannot be written to "${folder}".`,
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Make room there, or name another folder: TMPDIR for temporary files, TURBOLIFT_CACHE_FOLDER for worker code.',
    },
    { cause },
  )
}
