import { createFrameDecoder } from '@turbolift/worker-base/wire'

import { mutateOnce } from './random.mjs'

/** Asks the worker to end, which is its right. */
const DRAIN = 12
const IDS = ['echo', 'square', 'add', 'nested', 'throwOdd', 'count', 'bigint', 'returnsFunction', 'no']
const VALUES = [
  '\0[7]',
  '\0[]',
  '\0[[1],[2]]',
  '\0{"a":1}',
  '\0["quota"]',
  '\0[40]',
  '\0[[[[]]]]',
  '\u0001[[0]]',
  '\u0001[[-7,4294967290]]',
  '\u0001[[1],["BigInt","123456789012345678901234567890"]]',
  '\u0001[["Special",1],["Error",2],{"class":3,"fields":4},"TypeError",{}]',
  '\u0001[[1],["Special",2],["ReadableStream",3],0]',
  '\u0001[[1],["Special",2],["Shared",3],"k"]',
  '\u0001[[1],["Special",2],["AbortSignal"]]',
  '\u0001[[1],["ArrayBuffer",2],1]',
]

/** The bytes of one frame as a program could send it, sometimes broken: in its fields, seldom in its own form. */
export function createFrame(random) {
  for (;;) {
    const bytes = createAny(random)
    if (!asksForTheEnd(bytes)) return bytes
  }
}

function createAny(random) {
  const { pick, chance, integer } = random
  const [type, fields] = pick(SHAPES)(random)
  let head = fields
  while (chance(15)) head = mutateOnce(head, random)
  const parts = chance(10) ? Array.from({ length: integer(6) }, () => Buffer.alloc(integer(40), integer(256))) : []
  const bytes = toFrame(integer(500) > 0 ? type : integer(256), toId(type, random), head, parts)
  return integer(500) > 0 ? bytes : mutateOnce(bytes, random)
}

/** The last id of a call: what follows is mostly about it. */
let lastId = 0

/** Calls of one connection have ids of their own, or it ends. */
function toId(type, { integer }) {
  if (type === 1 && integer(500) > 0) lastId += 1
  return Math.max(1, lastId - integer(type === 1 ? 1 : 4))
}

const SHAPES = [toCall, toCall, toCall, toCall, toCancel, toCredit, toSimple, toStream, toShare]

function toCall({ pick, integer, chance }) {
  const id = Buffer.from(`src/main.ts#${pick(IDS)}${chance(3) ? '\0{"traceparent":"a"}' : ''}`)
  const fields = Buffer.alloc(11)
  fields.writeUInt16LE(chance(5) ? integer(4) : 0, 0)
  fields.writeUInt16LE(1, 2)
  fields.writeUInt32LE(chance(10) ? 1 + integer(100) : 1000, 4)
  fields.writeUInt16LE(id.length, 8)
  fields.writeUInt8(integer(7), 10)
  return [1, Buffer.concat([fields, id, Buffer.from(pick(VALUES))])]
}

function toCancel({ pick, integer }) {
  const grace = Buffer.alloc(4)
  grace.writeUInt32LE(integer(100))
  return [2, Buffer.concat([grace, Buffer.from(pick(VALUES))])]
}

function toCredit({ integer }) {
  const items = Buffer.alloc(4)
  items.writeUInt32LE(integer(20))
  return [7, items]
}

/** Return, recall, ping, pong. */
function toSimple({ pick }) {
  return [pick([8, 17, 10, 11]), Buffer.alloc(0)]
}

function toStream({ pick, integer }) {
  const fields = Buffer.alloc(7)
  fields.writeUInt8(integer(6), 0)
  fields.writeUInt32LE(integer(20), 3)
  return [20, Buffer.concat([fields, Buffer.from(pick(VALUES))])]
}

/** Share and its end. */
function toShare({ pick, chance }) {
  const key = Buffer.from('\u0001k')
  return chance(50) ? [22, key] : [18, Buffer.concat([key, Buffer.from(pick(VALUES))])]
}

export function toFrame(type, id, head, parts = []) {
  const header = Buffer.alloc(13 + 4 * parts.length)
  const bytes = parts.reduce((sum, part) => sum + part.length, head.length + header.length)
  header.writeUInt32LE(bytes - 4, 0)
  header.writeUInt8(type, 4)
  header.writeUInt32LE(id, 5)
  header.writeUInt32LE(parts.length, 9)
  parts.forEach((part, index) => header.writeUInt32LE(part.length, 13 + 4 * index))
  return Buffer.concat([header, head, ...parts])
}

function asksForTheEnd(bytes) {
  let isDrain = false
  const decoder = createFrameDecoder({ onFrame: ({ type }) => (isDrain ||= type === DRAIN) })
  try {
    decoder.push(bytes)
  } catch {
    // Refused here as it will be there.
  }
  return isDrain
}
