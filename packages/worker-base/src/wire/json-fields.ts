// Fields that are rare or have no fixed form travel as JSON.
import { frameMalformed } from './frame.ts'
import { LOST_REASONS } from './messages.ts'
import type { Hello, Log, Lost, LostReason } from './messages.ts'
import type { WireValue } from './values.ts'

/** More calls at a time than any machine has cores for. */
const MOST_SLOTS = 65_535

export function parseJson(head: Buffer): Readonly<Record<string, unknown>> {
  try {
    return Object.fromEntries(Object.entries(JSON.parse(head.toString('utf8'))))
  } catch {
    throw frameMalformed('fields that are no JSON object')
  }
}

export function parseHello(fields: Readonly<Record<string, unknown>>): Hello {
  return {
    workerId: String(fields['workerId']),
    build: String(fields['build']),
    slots: toSlots(fields['slots']),
    pid: toNumber(fields['pid']),
    maxFrameBytes: toNumber(fields['maxFrameBytes']),
  }
}

/** What an outcome of the kind `lost` holds. */
export function parseLostValue({ text }: WireValue): Lost {
  return parseLost(parseJson(Buffer.from(text)))
}

export function parseLost(fields: Readonly<Record<string, unknown>>): Lost {
  const reason = LOST_REASONS.find((known) => known === fields['reason'])
  if (reason === undefined) throw frameMalformed('a call lost for an unknown reason')
  const lost = {
    reason: reason satisfies LostReason,
    started: fields['started'] === true,
    detail: String(fields['detail']),
  }
  return typeof fields['path'] === 'string' ? { ...lost, path: fields['path'] } : lost
}

export function parseLog(fields: Readonly<Record<string, unknown>>): Log {
  return {
    stream: fields['stream'] === 'stderr' ? 'stderr' : 'stdout',
    executor: toNumber(fields['executor']),
    text: String(fields['text']),
    dropped: toNumber(fields['dropped']),
  }
}

function toSlots(field: unknown): number {
  const slots = toNumber(field)
  if (!Number.isInteger(slots) || slots < 1 || slots > MOST_SLOTS) throw frameMalformed(`a worker with ${slots} slots`)
  return slots
}

function toNumber(field: unknown): number {
  if (typeof field !== 'number') throw frameMalformed('a field that should be a number')
  return field
}
