import { element, fill } from './dom.js'
import { toCount, toDuration, toName, toTime } from './format.js'

const byId = (id) => document.getElementById(id)

/** Fills the tables below the picture; those without rows are hidden. */
export function fillLists(run) {
  const now = run.endedAt ?? run.at
  const maps = run.maps.toReversed().map((map) => ({ ...map, timeMs: (map.endedAt ?? now) - map.startedAt }))
  fillList('maps', maps, { keyOf: (map) => map.id, make: makeMap })
  fillList('functions', run.functions, { keyOf: (counts) => counts.id, make: makeFunction })
  fillList('errors', run.errors, { keyOf: (error) => `${error.at} ${error.message}`, make: makeError })
  fillList('workers', run.workers, { keyOf: (worker) => worker.id, make: makeWorker })
  fillList('slowest', run.slowest, { keyOf: (call) => call.callId, make: makeSlow })
  const log = byId('log')
  const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4
  fillList('log', run.log, { keyOf: (line) => `${line.at} ${line.workerId} ${line.line}`, make: makeLine })
  if (isAtEnd) log.scrollTop = log.scrollHeight
}

function fillList(name, items, options) {
  document.querySelector(`[data-list=${name}]`).hidden = items.length === 0
  fill(byId(name), items, options)
}

function makeMap({ functionId, total, done, failed, cached, inFlight, endedAt, timeMs }) {
  const finished = done + failed
  const share = total === undefined ? 'unknown length' : `${Math.floor((finished / Math.max(total, 1)) * 100)} %`
  const bar = element('progress', {
    max: String(Math.max(total ?? 1, 1)),
    value: total === undefined && endedAt === undefined ? undefined : String(total === undefined ? 1 : finished),
    'aria-label': `${toName(functionId)}: ${share}`,
  })
  const fromCache = cached > 0 ? element('small', { class: 'soft' }, ` ${toCount(cached)} from the cache`) : ''
  return row(
    nameCell(functionId),
    element('td', {}, bar, ` ${share}`, fromCache),
    number(toCount(done)),
    number(toCount(failed), failed > 0),
    number(toCount(inFlight)),
    number(toDuration(timeMs)),
  )
}

function makeFunction({ id, done, failed, retried, totalMs, maxMs }) {
  return row(
    nameCell(id),
    number(toCount(done)),
    number(toCount(failed), failed > 0),
    number(toCount(retried)),
    number(done === 0 ? '' : toDuration(totalMs / done)),
    number(done === 0 ? '' : toDuration(maxMs)),
  )
}

function makeError({ at, functionId, workerId, attempt, isRetried, name, message, stack, source }) {
  const fate = isRetried ? 'tried again' : 'failed'
  const where = `${toTime(at)} · ${toName(functionId)} · ${workerId ?? 'no worker'} · attempt ${attempt}, ${fate}`
  return element(
    'details',
    {},
    element(
      'summary',
      {},
      element('strong', { class: 'bad' }, name),
      ` ${message}`,
      element('span', { class: 'place' }, ...place(source), ` ${where}`),
    ),
    element('pre', {}, stack),
  )
}

/** In Vite's dev server a position opens in the editor. */
function place(source) {
  if (source === undefined) return []
  const inVite = /\/__turbolift\/[^/]+\/$/.test(location.pathname)
  if (!inVite) return [element('code', {}, source), ' ·']
  const link = element('a', { href: `../../__open-in-editor?file=${encodeURIComponent(source)}` }, source)
  link.addEventListener('click', (event) => {
    event.preventDefault()
    void fetch(link.href)
  })
  return [link, ' ·']
}

function makeWorker({ id, pool, state, done, failed, error }) {
  const words = error === undefined ? state : `${state}: ${error}`
  const name = state === 'ready' ? 'good' : error === undefined ? 'soft' : 'bad'
  return row(
    element('td', {}, element('code', {}, id)),
    element('td', {}, pool),
    element('td', { class: name }, words),
    number(toCount(done)),
    number(toCount(failed), failed > 0),
  )
}

function makeSlow({ functionId, workerId, attempt, durationMs }) {
  return row(
    nameCell(functionId),
    element('td', {}, element('code', {}, workerId)),
    number(toCount(attempt)),
    number(toDuration(durationMs)),
  )
}

function makeLine({ workerId, stream, line }) {
  return element('div', { class: stream === 'stderr' ? 'bad' : undefined }, `${workerId} | ${line}`)
}

function row(...cells) {
  return element('tr', {}, ...cells)
}

function nameCell(functionId) {
  return element('td', {}, element('code', { title: functionId }, toName(functionId)))
}

function number(text, isBad = false) {
  return element('td', { class: isBad ? 'number bad' : 'number' }, text)
}
