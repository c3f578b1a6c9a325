import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Server } from 'node:net'
import { networkInterfaces } from 'node:os'

import { configure } from 'turbolift'
import { type Dispatcher, Pool } from 'undici'

import { createNamespace, readCluster } from './cluster.ts'
import type { Contender } from './contenders/contender.ts'
import { createTurbolift } from './contenders/turbolift.ts'
import { type Section, withVersion } from './report.ts'
import { measureByTurns, measureRate } from './rounds.ts'

const MANY = 64
const ROUND_MS = 1000
const ROUNDS = 9

/** Where worker pods listen, and where their certificate and token are mounted. */
const WORKER_PORT = 8080
const ACCESS_FOLDER = '/var/run/turbolift'

/** Where the pod can be asked for squares without lifting. */
interface Origins {
  /** A bare `node:http` server, in the thread that runs calls. */
  readonly plain: string
  /** The same by TLS, with the worker's certificate. */
  readonly secure: string
  /** The worker's own HTTP server. */
  readonly worker: string
  readonly token: string
}

async function listen(): Promise<Origins> {
  'use lift: one'
  const read = (name: string) => readFileSync(`${ACCESS_FOLDER}/${name}`, 'utf8')
  const addresses = Object.values(networkInterfaces()).flatMap((list = []) => list)
  const host = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address
  const start = async (server: Server) => {
    await once(server.listen(0), 'listening')
    const address = server.address()
    return `${host}:${typeof address === 'object' ? address?.port : ''}`
  }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const n = Number(request.url?.slice(1))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(n * n))
  }
  const credentials = { cert: read('tls.crt'), key: read('tls.key') }
  return {
    plain: `http://${await start(createServer(answer))}`,
    secure: `https://${await start(createTlsServer(credentials, answer))}`,
    worker: `https://${host}:${WORKER_PORT}`,
    token: read('token').trim(),
  }
}

/** Tiny calls to one worker pod, beside HTTP requests to the same pod. */
export async function benchClusterCalls(): Promise<Section> {
  const { baseImage } = readCluster()
  await using namespace = await createNamespace()
  const kubernetes = { namespace: namespace.name, delivery: 'mount', image: { baseImage } } as const
  configure({ target: 'kubernetes', kubernetes })
  const contenders = [createTurbolift(1), ...createRequests(await listen())]
  const rates = (inFlight: number) =>
    measureByTurns(
      contenders.map((contender) => ({
        name: contender.name,
        measure: () => measureRate(contender, inFlight, ROUND_MS),
      })),
      ROUNDS,
    )
  try {
    return toSection(await rates(1), await rates(MANY))
  } finally {
    for (const contender of contenders) await contender[Symbol.asyncDispose]()
  }
}

function createRequests({ plain, secure, worker, token }: Origins): Contender[] {
  const get = (n: number) => ({ path: `/${n}`, method: 'GET' }) as const
  const post = (n: number) =>
    ({
      path: `/call/${encodeURIComponent('src/contenders/turbolift.ts#squareOnOne')}`,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify([n]),
    }) as const
  return [
    createUndici(`${withVersion('undici')}, bare server, no TLS`, plain, get),
    createUndici(`${withVersion('undici')}, bare server, TLS`, secure, get),
    createUndici(`${withVersion('undici')}, the worker's POST /call`, worker, post),
  ]
}

function createUndici(name: string, origin: string, toRequest: (n: number) => Dispatcher.RequestOptions): Contender {
  // The certificate is of the run's own making, for a name that no address has.
  const pool = new Pool(origin, { connect: { rejectUnauthorized: false } })
  return {
    name,
    async call(n) {
      const { body } = await pool.request(toRequest(n))
      return Number(await body.json())
    },
    [Symbol.asyncDispose]: () => pool.close(),
  }
}

function toSection(one: ReadonlyMap<string, number>, many: ReadonlyMap<string, number>): Section {
  const base = { one: one.get('turbolift') ?? Number.NaN, many: many.get('turbolift') ?? Number.NaN }
  const rows = [...one].map(([name, rate]) => {
    const rateOfMany = many.get(name) ?? Number.NaN
    return [
      name === 'turbolift' ? withVersion(name) : name,
      `${(1e6 / rate).toFixed(0)} µs`,
      (rate / base.one).toFixed(2),
      Math.round(rateOfMany).toLocaleString('en'),
      (base.many / rateOfMany).toFixed(2),
    ]
  })
  return {
    title: 'Calls on a cluster',
    text:
      '`square(n)` in one worker pod, by TLS, beside HTTP requests by undici to the same pod: to a bare server in the ' +
      'thread that runs calls, and to the route of the worker that calls the same function. The ratios say how much ' +
      `longer a lifted call takes, and how many times as many get through. ${ROUNDS} rounds of ${ROUND_MS} ms by turns, ` +
      'the median counts; program and pod share the cores.',
    head: ['', 'a call, 1 in flight', 'lifted takes ×', `calls a second, ${MANY} in flight`, 'lifted gets through ×'],
    rows,
  }
}
