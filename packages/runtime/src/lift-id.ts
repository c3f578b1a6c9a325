/** What a lift id is made of: which module, and which function of it. */
export interface LiftIdParts {
  /** The whole id of the module, from the project's root where it is a file: with its query, if it has one. */
  readonly module: string
  /** Name of the function within its module, after those of the functions around it (`outer.inner`). */
  readonly path: string
}

/**
 * The name of a lifted function in manifests, workers and caches: `src/main.ts#square`. Signs that would make it
 * ambiguous, as a `#` in the name of a folder, are written as in URLs.
 */
export function toLiftId({ module, path }: LiftIdParts): string {
  return `${encode(module)}#${encode(path)}`
}

export function parseLiftId(id: string): LiftIdParts {
  const [module = '', path = ''] = id.split('#')
  return { module: decode(module), path: decode(path) }
}

function encode(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('#', '%23').replaceAll('\0', '%00')
}

function decode(text: string): string {
  return text.replaceAll('%00', '\0').replaceAll('%23', '#').replaceAll('%25', '%')
}
