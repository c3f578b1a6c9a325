import { mutateOnce } from './random.mjs'

const METHODS = ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'CONNECT', 'PRI', 'post', 'M-SEARCH']
const IDS = ['echo', 'square', 'add', 'nested', 'throwOdd', 'count', 'bigint', 'returnsFunction', 'no']
const TARGETS = [
  '/health',
  '/ready?a',
  '/connect',
  '*',
  '/',
  'h:1',
  'http://h:99999/health',
  '/a#b',
  '/%^',
  '//',
  '/call/',
]
const HOSTS = ['worker', 'h:99999', '256.256.256.256', 'xn--a', '[::1]:0', '', 'a b', '@']
const TYPES = ['application/json', 'application/x-devalue', 'application/json; charset=utf-8', 'text/plain', '']
const BODIES = [
  '[7]',
  '[]',
  '[1,2,3]',
  '{"a":1}',
  '[[[[]]]]',
  '["quota"]',
  '[40]',
  'null',
  '',
  '[[1],[-7,4294967290]]',
  '[[-7,4294967290]]',
  '[[0]]',
  '[[1],["BigInt","123456789012345678901234567890"]]',
  '[[1],["Map",2,2],"a"]',
  '[[1],["Special",2],["Error",3],{"class":4,"fields":5},"TypeError",{}]',
  '[[1],["ArrayBuffer","AAAA"]]',
  '['.repeat(500) + ']'.repeat(500),
]
const HEADERS = [
  'Connection: close',
  'Connection: upgrade',
  'Upgrade: turbolift/1',
  'Upgrade: h2c',
  'Turbolift-Build: test-build',
  'Expect: 100-continue',
  'Transfer-Encoding: chunked',
  'Content-Length: 3',
  'Content-Length: 99999999',
  'Content-Encoding: gzip',
  'X-Forwarded-Host: h:99999',
  'Authorization: Bearer wrong',
  'TE: trailers',
]

/** The bytes of one request: mostly well formed, often with the token, sometimes with a bit of it broken. */
export function createRequest(random) {
  const { pick, chance } = random
  const target = chance(60) ? `/call/src%2Fmain.ts%23${pick(IDS)}` : pick(TARGETS)
  const body = pick(BODIES)
  const lines = [`${chance(70) ? 'POST' : pick(METHODS)} ${target} HTTP/1.1`]
  if (chance(95)) lines.push(`Host: ${chance(80) ? 'worker' : pick(HOSTS)}`)
  if (chance(60)) lines.push('Authorization: Bearer test-token')
  lines.push(`Content-Type: ${pick(TYPES)}`)
  if (chance(90)) lines.push(`Content-Length: ${body.length}`)
  while (chance(20)) lines.push(pick(HEADERS))
  let bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
  while (chance(30)) bytes = mutateOnce(bytes, random)
  return bytes
}
