async function double(n: number): Promise<number> {
  'use lift'
  return n * 2
}

async function fail(message: string): Promise<void> {
  'use lift'
  throw new RangeError(message)
}

async function sleepLong(): Promise<void> {
  'use lift'
  await new Promise((resolve) => setTimeout(resolve, 60_000))
}

export async function exitCode(): Promise<void> {
  console.log(await double(21))
  process.exitCode = 3
}

/** Ends while calls are in flight, as a program does that has seen enough. */
export async function exitNow(): Promise<void> {
  console.log(await double(21))
  void sleepLong()
  process.exit(5)
}

/** More output than a pipe holds: a program that is cut off at its end would lose some. */
export async function pendingOutput(): Promise<void> {
  const lines = await Promise.all(Array.from({ length: 10 }, (_, n) => double(n)))
  for (let line = 0; line < 20_000; line++) process.stdout.write(`${line} ${lines[line % 10]} ${'x'.repeat(80)}\n`)
}

export async function thrown(): Promise<void> {
  console.log(await double(21))
  throw new Error('the main program gave up')
}

export async function uncaughtRemote(): Promise<void> {
  await fail('the worker gave up')
}
