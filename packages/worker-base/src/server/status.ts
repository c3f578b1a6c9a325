import type { WireValue } from '../wire/values.ts'

/** What a worker is up to. */
export type WorkerStatus =
  | { readonly kind: 'starting' }
  /** `ids`: its lifted functions, unless they come and go. */
  | { readonly kind: 'ready'; readonly ids: readonly string[] | undefined }
  /** Its code cannot be loaded. */
  | { readonly kind: 'failed'; readonly error: WireValue; readonly message: string }
  | { readonly kind: 'draining' }
