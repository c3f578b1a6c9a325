import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** Tells the test which process it runs in, and never ends by itself. */
async function hold(path: string): Promise<void> {
  'use lift'
  writeFileSync(path, String(process.pid))
  for (;;) await wait(60_000)
}

/** Holds at the first try, so that the test can kill the worker; answers at the second. */
async function holdOnce(path: string): Promise<string> {
  'use lift'
  if (existsSync(path)) return 'answered at the second try'
  writeFileSync(path, String(process.pid))
  for (;;) await wait(60_000)
}

async function killItsWorker(): Promise<void> {
  'use lift'
  process.kill(process.pid, 'SIGKILL')
  await wait(60_000)
}

async function double(n: number): Promise<number> {
  'use lift'
  return n * 2
}

export async function held(path: string): Promise<void> {
  await hold(path)
}

/** With a handler of its own for Ctrl-C, as many programs have. */
export async function cancelled(path: string): Promise<void> {
  process.on('SIGINT', () => {
    console.log('the handler of the program ran')
    process.exit(7)
  })
  await hold(path)
}

export async function retried(path: string): Promise<void> {
  const others = Promise.all(Array.from({ length: 50 }, (_, n) => double(n)))
  console.log(await holdOnce(path))
  console.log((await others).reduce((sum, n) => sum + n, 0))
}

export async function poisoned(): Promise<void> {
  const [poison, ...others] = await Promise.allSettled([killItsWorker(), double(1), double(2)])
  if (poison?.status !== 'rejected') throw new Error('A call that kills its worker came back.')
  console.log(`${poison.reason.name} ${poison.reason.code}: ${poison.reason.message}`)
  console.log(others.map((other) => (other.status === 'fulfilled' ? other.value : other.reason)))
}
