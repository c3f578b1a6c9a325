import { TraceMap, decodedMappings, originalPositionFor } from '@jridgewell/trace-mapping'

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
  const { line, column } = originalPositionFor(toTrace(map), at)
  return line === null ? at : { line, column }
}

/** Where all that a map of edited code names stands in the source. */
export function locateAll(edited: SourceMapLike, map: SourceMapLike): Position[] {
  const trace = toTrace(map)
  return decodedMappings(toTrace(edited)).flatMap((segments) =>
    segments.flatMap((segment) => {
      if (segment.length === 1) return []
      const { line, column } = originalPositionFor(trace, { line: segment[2] + 1, column: segment[3] })
      return line === null ? [] : [{ line, column }]
    }),
  )
}

function toTrace({ mappings, names, sources }: SourceMapLike): TraceMap {
  return new TraceMap({ version: 3, mappings, names, sources })
}
