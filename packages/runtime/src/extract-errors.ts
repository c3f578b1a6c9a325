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

/** Worker code would be started from a folder that others can change. */
export function folderUnsafe(folder: string): DeployError {
  return new DeployError('FOLDER_UNSAFE', {
    what: `Worker files are not put into "${folder}".`,
    why: 'Other users own it or can write to it, so they could change the code that is started from it.',
    fix: 'Choose a folder of your own with TURBOLIFT_CACHE_FOLDER, or take away the write permission of others.',
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
