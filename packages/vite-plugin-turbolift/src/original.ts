import { TraceMap, originalPositionFor } from '@jridgewell/trace-mapping'

export interface SourceMapLike {
  readonly mappings: string
  readonly names: string[]
  readonly sources: (string | null)[]
  readonly version: number | string
}

interface Position {
  /** From 1. */
  readonly line: number
  /** From 0. */
  readonly column: number
}

/** Where a position of compiled code stands in its source; the same position if the map does not say. */
export function locateOriginal(map: SourceMapLike, at: Position): Position {
  if (map.mappings === '') return at
  const { mappings, names, sources } = map
  const { line, column } = originalPositionFor(new TraceMap({ version: 3, mappings, names, sources }), at)
  return line === null ? at : { line, column }
}
