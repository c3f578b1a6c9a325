import { drawChart } from './chart.js'
import { element, fill } from './dom.js'
import { toCount, toDuration, toTime } from './format.js'
import { fillLists } from './lists.js'

const STATES = {
  running: 'running',
  silent: 'does not answer',
  ended: 'ended',
  died: 'died without a word',
}

const byId = (id) => document.getElementById(id)
const runs = new Map()
let chosen = location.hash.slice(1)

const source = new EventSource('events')
source.addEventListener('open', () => say('Live'))
source.addEventListener('error', () => say('The connection broke; trying again …'))
source.addEventListener('problem', ({ data }) => say(`The runs cannot be read: ${data}`))
source.addEventListener('runs', ({ data }) => {
  const { changed, order } = JSON.parse(data)
  for (const run of changed) runs.set(run.runId, run)
  for (const id of runs.keys()) if (!order.includes(id)) runs.delete(id)
  show(order)
})
addEventListener('hashchange', () => {
  chosen = location.hash.slice(1)
  show([...byId('runs').children].map((item) => item.dataset.key))
})

function say(text) {
  const place = byId('connection')
  if (place.textContent !== text) place.textContent = text
}

function show(order) {
  const run = runs.get(chosen) ?? runs.get(order[0])
  const items = order.map((id) => toItem(runs.get(id), id === run?.runId))
  fill(byId('runs'), items, { keyOf: (item) => item.id, make: makeItem })
  byId('no-runs').hidden = order.length > 0
  byId('run').hidden = run === undefined
  if (run !== undefined) showRun(run)
}

function toItem({ runId, program, state, target, startedAt, functions }, isChosen) {
  const calls = functions.reduce((sum, { done, failed }) => sum + done + failed, 0)
  return { id: runId, program, state, target, startedAt, calls, isChosen }
}

function makeItem({ id, program, state, target, startedAt, calls, isChosen }) {
  const button = element(
    'button',
    { type: 'button', 'aria-current': isChosen ? 'true' : undefined },
    element('strong', {}, program),
    element('small', {}, `${STATES[state]} · ${target} · ${toTime(startedAt)} · ${toCount(calls)} calls`),
  )
  button.addEventListener('click', () => {
    location.hash = id
  })
  return element('li', {}, button)
}

function showRun(run) {
  const { program, target, pid, state, startedAt, endedAt, at } = run
  const isOver = state === 'ended' || state === 'died'
  const time = toDuration((endedAt ?? at) - startedAt)
  byId('run-title').textContent = `${program}: ${STATES[state]}`
  byId('run-about').textContent =
    `Target ${target}, process ${pid}, started at ${toTime(startedAt)}, ${isOver ? 'ran' : 'running'} for ${time}`
  fill(byId('totals'), toTotals(run), { keyOf: (total) => total.name, make: makeTotal })
  byId('chart').replaceChildren(drawChart(run))
  fillLists(run)
}

function toTotals({ functions, maps, workers, seconds, at, state }) {
  const sum = (key) => functions.reduce((total, counts) => total + counts[key], 0)
  const ready = workers.filter((worker) => worker.state === 'ready').length
  const now = Math.floor(at / 1000)
  const recent = seconds.filter(({ second }) => second < now && second >= now - 5)
  const rate = state === 'running' ? recent.reduce((total, { done }) => total + done, 0) / 5 : 0
  return [
    { name: 'Calls done', value: toCount(sum('done')) },
    { name: 'Failed', value: toCount(sum('failed')), isBad: sum('failed') > 0 },
    { name: 'Retried', value: toCount(sum('retried')) },
    { name: 'In flight in maps', value: toCount(maps.reduce((total, { inFlight }) => total + inFlight, 0)) },
    { name: 'Workers', value: toCount(ready) },
    { name: 'Calls a second', value: toCount(rate) },
  ]
}

function makeTotal({ name, value, isBad }) {
  return element('div', {}, element('dt', {}, name), element('dd', { class: isBad ? 'bad' : undefined }, value))
}
