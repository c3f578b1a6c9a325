import { createHash } from 'node:crypto'

import type { ConfigInput } from './config.ts'
import { checkLayer } from './config/resolve.ts'

export type { ConfigInput } from './config.ts'
export { invalidOption } from './config/errors.ts'
export { parseLiftId, toLiftId } from './lift-id.ts'
export type { LiftIdParts } from './lift-id.ts'

/**
 * Checks what the user wrote in `turbolift({ … })`, as the program itself does when it runs.
 * @throws ConfigError `OPTION_UNKNOWN`, `OPTION_INVALID`
 */
export function checkOptions(options: ConfigInput): void {
  checkLayer({ name: 'turbolift', values: options })
}

/** Raised with every change that an older runtime would misread. */
export const MANIFEST_VERSION = 1

/**
 * What crosses from build time to run time: the plugin writes it into the main bundle in place of
 * `__TURBOLIFT_MANIFEST__`, and the runtime reads it on the first lifted call.
 */
export interface LiftManifest {
  readonly version: typeof MANIFEST_VERSION
  /** Name of the program, from its `package.json`; labels and names of objects come from it. */
  readonly program: string
  /** SHA-256 of the unpacked files (`hashFiles`), hexadecimal: names the folder, the image and the cache. */
  readonly hash: string
  /** Every lifted function by its lift id: root-relative path, `#`, name (`src/main.ts#square`). */
  readonly functions: Readonly<Record<string, LiftedEntry>>
  /** What the user wrote in `turbolift({ … })`; the lowest layer of configuration but the defaults. */
  readonly options: ConfigInput
  /** Packages with native code that stay outside the chunks and must be in the worker's image. */
  readonly externals: readonly string[]
  /** Where those of them are installed that are not in the project's own `node_modules`: from the project's root. */
  readonly externalFolders?: Readonly<Record<string, string>>
  /**
   * base64 of gzip of tar archives, one after the other: `worker.js` and `executor.js` (the worker program),
   * `functions.js` (exports `functions: Record<liftId, () => Promise<Function>>`), chunks, source maps,
   * and a `package.json` that says `"type": "module"`. In dev `functions.js` exports `loadFunction(id)` instead.
   */
  readonly files: string
  /** Workers load their modules from a Vite server of this machine, so they cannot run elsewhere. */
  readonly isDev?: true
}

export interface LiftedEntry {
  readonly name: string
  readonly pool: string
  /** `stream`: an async generator, whose values reach the caller one by one. */
  readonly kind: 'call' | 'stream'
  /** SHA-256 of the code that the function may run: its chunk and all that this imports. Names its results in a cache. */
  readonly code?: string
  /** Packages outside of that code, of `externals`, that it may load. Without `code`: any of them. */
  readonly packages?: readonly string[]
}

/** One file of the manifest's archive. */
export interface ManifestFile {
  /** Path inside the folder, with `/`. */
  readonly name: string
  readonly data: Uint8Array
}

/** The `hash` of a manifest: over name, length and bytes of each file, in the order of names. */
export function hashFiles(files: readonly ManifestFile[]): string {
  const hash = createHash('sha256')
  for (const { name, data } of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(`${name}\0${data.byteLength}\0`).update(data)
  }
  return hash.digest('hex')
}
