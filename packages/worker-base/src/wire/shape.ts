import type { OwnFields } from './own-fields.ts'
import type { WriteMembers } from './writer.ts'

/** How an object is written. */
export type Shape = TextShape | MembersShape | { readonly kind: 'error' } | RefusedShape

export interface TextShape {
  readonly kind: 'text'
  readonly text: string
  readonly fields?: OwnFields | undefined
}

/** Its parts may be objects, which are written later. */
export interface MembersShape {
  readonly kind: 'members'
  readonly write: WriteMembers
  readonly fields?: OwnFields | undefined
}

interface RefusedShape {
  readonly kind: 'refused'
  readonly reason: string
  readonly cause?: unknown
}

export function toText(tag: string, data?: string | number): TextShape {
  return { kind: 'text', text: data === undefined ? `["${tag}"]` : `["${tag}",${data}]` }
}

export function refused(reason: string, cause?: unknown): RefusedShape {
  return { kind: 'refused', reason, cause }
}
