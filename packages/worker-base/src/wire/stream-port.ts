import type { StreamMessage } from './messages.ts'
import { UNDEFINED_VALUE } from './values.ts'
import type { ErrorOptions, WireValue } from './values.ts'

/** A `StreamMessage` without the call it belongs to. */
export type StreamEvent = Omit<StreamMessage, 'kind' | 'id'>

/** The way to the other side of a call. */
export interface StreamPort extends ErrorOptions {
  post(event: StreamEvent): void
  /** Resolves when the other side is not slower than this one. */
  whenDrained(): Promise<void>
  /** Told when a reader begins to wait for the other side, and when it has waited. */
  onWaiting?(isWaiting: boolean): void
}

export function toEvent(
  stream: number,
  event: StreamEvent['event'],
  { items = 0, value = UNDEFINED_VALUE }: { readonly items?: number; readonly value?: WireValue } = {},
): StreamEvent {
  return { stream, event, items, value }
}
