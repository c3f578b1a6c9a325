// The worker side of a program, as the compiler would write it.
import { setTimeout as sleep } from 'node:timers/promises'

const host = globalThis[Symbol.for('turbolift.context')]
let opened = 0
let state = 0

async function square(n) {
  return n * n
}

function busy(ms) {
  const end = performance.now() + ms
  while (performance.now() < end) continue
}

async function* count(to) {
  try {
    for (let n = 1; n <= to; n += 1) yield n
    return 'done'
  } finally {
    console.log('count closed')
  }
}

async function* failing() {
  yield 1
  throw new RangeError('after one')
}

async function* unsendableItem() {
  yield 1
  yield () => 1
}

class Quota extends DOMException {
  code = 42
}

class Unreadable extends Error {
  get message() {
    throw new Error('no message')
  }
  get stack() {
    throw new Error('no stack')
  }
  get cause() {
    throw new Error('no cause')
  }
}

function toOdd(kind) {
  switch (kind) {
    case 'bare':
      return Object.create(null)
    case 'quota':
      return new Quota('too much', 'QuotaError')
    case 'frozen':
      return Object.freeze(new Error('cold'))
    case 'unreadable':
      return new Unreadable()
    case 'symbol':
      return Symbol('odd')
    case 'proxy':
      return new Proxy(new Error('behind'), {
        get() {
          throw new Error('no field')
        },
      })
    default:
      return undefined
  }
}

const functions = {
  square,
  echo: async (value) => value,
  add: async (...numbers) => numbers.reduce((sum, n) => sum + n, 0),
  captured: (k, object) => async (x) => k * x + object.plus,
  throwType: async () => {
    throw new TypeError('wrong', { cause: new Error('deep') })
  },
  throwText: async () => {
    throw 'just text'
  },
  returnsFunction: async () => ({ list: [1, () => 1] }),
  print: async (text) => {
    console.log(text)
    console.error(`error: ${text}`)
    process.stdout.write('unfinished')
  },
  printMany: async (lines) => {
    for (let n = 0; n < lines; n += 1) console.log(`line ${n}`)
  },
  logger: async () => host.current().logger.warn('careful', { a: 1 }),
  busy: async (ms) => busy(ms),
  sleep: async (ms) => {
    await sleep(ms)
    return 'slept'
  },
  hang: async () => {
    console.log('hanging')
    await new Promise(() => setInterval(() => {}, 1000))
  },
  exit: async () => process.exit(3),
  exitFirst: async (attempt) => (attempt === 1 ? process.exit(3) : 'survived'),
  memory: async () => {
    const list = []
    for (;;) list.push(Array.from({ length: 1000 }, () => list.length))
  },
  uncaught: async () => {
    setTimeout(() => {
      throw new Error('nobody caught this')
    }, 0)
    await new Promise(() => {})
  },
  rejection: async () => {
    void Promise.reject(new Error('nobody handled this'))
    await new Promise(() => {})
  },
  stray: async () => {
    setImmediate(() => {
      throw new Error('after the call')
    })
    return 'fine'
  },
  untilAborted: async () => {
    const { signal } = host.current()
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  },
  context: async () => {
    const { callId, attempt, workerId, signal } = host.current()
    return { callId, attempt, workerId, isAborted: signal.aborted }
  },
  opened: async () => opened,
  increment: async () => (state += 1),
  pid: async () => process.pid,
  environment: async (name) => process.env[name],
  stack: async () => new Error('here').stack,
  bigint: async () => 1n,
  nested: async (levels) => {
    let value = 0
    for (let level = 0; level < levels; level += 1) value = [value]
    return value
  },
  throwOdd: async (kind) => {
    throw toOdd(kind)
  },
  count,
  failing,
  unsendableItem,
}

host.addStartHook(async () => {
  opened += 1
})
host.addStopHook(() => console.log('closed what was opened'))

const table = Object.fromEntries(Object.entries(functions).map(([name, fn]) => [`src/main.ts#${name}`, async () => fn]))

export { table as functions }
