import { spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, test, vi } from 'vitest'

const packages = fileURLToPath(new URL('../..', import.meta.url))
const clock = new URL('../dist/clock.js', import.meta.url).href

/** Runs a program that takes its time from the clock, after `before`; resolves to what it printed. */
async function run(before: string, main: string): Promise<{ readonly lines: string[]; readonly code: number | null }> {
  const program = `${before}; const clock = await import('${clock}'); ${main}`
  const child = spawn(process.execPath, ['--input-type=module', '--no-warnings', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { lines: text.trim().split('\n'), code }
}

const mocks = {
  nothing: '',
  'node:test': `(await import('node:test')).mock.timers.enable()`,
  'all that a library can reach': `
    const dead = { ref() { return this }, unref() { return this } }
    const stopped = Object.assign(() => dead, { clock: {} })
    const { createRequire, syncBuiltinESMExports } = await import('node:module')
    const require = createRequire('/')
    for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'queueMicrotask']) {
      globalThis[name] = stopped
      if (name in require('timers')) require('timers')[name] = stopped
    }
    globalThis.Date = class extends Date { static now() { return 5 } }
    globalThis.performance = { now: () => 5 }
    process.nextTick = stopped
    AbortSignal.timeout = stopped
    syncBuiltinESMExports()`,
}

describe.each(Object.entries(mocks))('where %s is mocked', (_, before) => {
  test('time passes', async () => {
    const { lines, code } = await run(
      before,
      `
      const began = clock.performance.now()
      await new Promise((resolve) => clock.nextTick(resolve))
      await new Promise((resolve) => clock.queueMicrotask(resolve))
      await new Promise((resolve) => clock.setImmediate(resolve))
      await new Promise((resolve) => clock.setTimeout(resolve, 30))
      console.log(clock.performance.now() - began >= 29, clock.wallClock() > 1.7e12)
      let ticks = 0
      await new Promise((resolve) => {
        const timer = clock.setInterval(() => { if (++ticks === 3) { clock.clearInterval(timer); resolve() } }, 5)
      })
      await clock.delay(10)
      console.log(ticks)
      const signal = clock.timeoutSignal(10)
      const stayAlive = clock.setTimeout(() => console.log('late'), 60_000)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      clock.clearTimeout(stayAlive)
      console.log(signal.reason.name)
      await clock.delay(60_000, { signal: AbortSignal.abort(new Error('enough')) }).catch((error) => console.log(error.message))
      const controller = new AbortController()
      clock.setTimeout(() => controller.abort(new Error('enough of it')), 5)
      await clock.delay(60_000, { signal: controller.signal }).catch((error) => console.log(error.message))`,
    )
    expect({ lines, code }).toEqual({
      lines: ['true true', '3', 'TimeoutError', 'enough', 'enough of it'],
      code: 0,
    })
  })

  test('a timer keeps the program going as long as it is asked to', async () => {
    const started = performance.now()
    const { lines } = await run(
      before,
      `
      clock.setTimeout(() => console.log('heard'), 50)
      clock.setTimeout(() => console.log('not heard'), 60_000).unref()
      clock.setInterval(() => undefined, 60_000).ref().unref()
      clock.setTimeout(() => { throw new Error('not heard') }, 60_000)[Symbol.dispose]()`,
    )
    expect(lines).toEqual(['heard'])
    expect(performance.now() - started).toBeLessThan(30_000)
  })
})

test('what a test mocks later does not reach it', async () => {
  const { delay, wallClock } = await import('../src/clock.ts')
  vi.useFakeTimers({ now: 5 })
  try {
    await delay(5)
    expect(wallClock()).toBeGreaterThan(1.7e12)
  } finally {
    vi.useRealTimers()
  }
})

test('nothing of ours takes time from elsewhere', () => {
  const forbidden =
    /node:timers|AbortSignal\.timeout|Date\.now\(|new Date\(\)|process\.nextTick|(?:globalThis\.|(?<![\w.#]))(?:set(?:Timeout|Interval|Immediate)|queueMicrotask|performance\.\w+)\b/
  const found: string[] = []
  for (const name of ['runtime', 'worker-base']) {
    for (const path of readdirSync(`${packages}/${name}/src`, { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.ts') || /\.test(?:-d)?\.ts$/.test(path) || path.startsWith('clock')) continue
      const code = readFileSync(`${packages}/${name}/src/${path}`, 'utf8')
      const taken = /import \{([^}]*)\} from '[^']*\/clock(?:\.ts)?'/.exec(code)?.[1] ?? ''
      const names = new Set(taken.split(',').map((each) => each.trim()))
      const lines = code.split('\n').filter((line) => !/^\s*(?:\/\/|\*|\/\*)/.test(line))
      for (const line of lines) {
        const isImport = /^import\b/.test(line)
        const [use] = (isImport ? /node:timers/ : forbidden).exec(line) ?? []
        if (use !== undefined && !names.has(use.replace(/\..*/, ''))) found.push(`${name}/src/${path}: ${line.trim()}`)
      }
    }
  }
  expect(found).toEqual([])
})
