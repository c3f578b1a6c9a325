// What comes back from the API server, checked as far as the client itself relies on it.

/** Any object of the cluster, as far as every kind is alike. */
export interface ApiObject {
  readonly kind?: string
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    readonly labels?: Readonly<Record<string, string>>
  }
}

export interface ApiList {
  readonly items: readonly ApiObject[]
  /** Version to watch from. */
  readonly version: string
  /** Token of the next page. */
  readonly next: string | undefined
}

export type WatchLine =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: ApiObject; readonly version: string }
  | { readonly type: 'BOOKMARK'; readonly version: string | undefined }
  | { readonly type: 'ERROR'; readonly code: number; readonly text: string; readonly version: undefined }

export function parseObject(text: string): ApiObject {
  return toObject(JSON.parse(text))
}

export function parseList(text: string): ApiList {
  const list = toRecord(JSON.parse(text))
  const metadata = toRecord(list['metadata'])
  const items = Array.isArray(list['items']) ? list['items'].map(toObject) : []
  const next = toText(metadata['continue'])
  return { items, version: toText(metadata['resourceVersion']), next: next === '' ? undefined : next }
}

/** @throws SyntaxError when the line is not a watch event */
export function parseWatchLine(text: string): WatchLine {
  const line = toRecord(JSON.parse(text))
  const { type, object } = line
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
    const parsed = toObject(object)
    return { type, object: parsed, version: parsed.metadata.resourceVersion }
  }
  if (type === 'BOOKMARK')
    return { type, version: toText(toRecord(toRecord(object)['metadata'])['resourceVersion']) || undefined }
  if (type === 'ERROR')
    return { type, code: Number(toRecord(object)['code'] ?? 500), text: JSON.stringify(object), version: undefined }
  throw new SyntaxError(`Unknown watch event ${String(type)}.`)
}

function toObject(value: unknown): ApiObject {
  const object = toRecord(value)
  const metadata = toRecord(object['metadata'])
  // Reviews and the like have no name, uid or version.
  const identity = {
    name: toText(metadata['name']),
    uid: toText(metadata['uid']),
    resourceVersion: toText(metadata['resourceVersion']),
  }
  return { ...object, metadata: { ...metadata, ...identity } }
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
