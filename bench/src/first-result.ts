import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { build } from 'vite'
import { turbolift } from 'vite-plugin-turbolift'

/** Writes and builds a program that makes one lifted call, prints its result and ends. @returns the file to run */
export async function buildFirstResult(root: string, mark: string): Promise<string> {
  await mkdir(join(root, 'src'), { recursive: true })
  await writeFile(join(root, 'package.json'), '{ "name": "first-result", "type": "module" }')
  await writeFile(
    join(root, 'src/main.ts'),
    `async function square(n: number) {\n  'use lift'\n  return { result: n * n, mark: '${mark}' }\n}\nconsole.log(JSON.stringify(await square(7)))\n`,
  )
  await build({ root, configFile: false, logLevel: 'silent', plugins: [turbolift({ typecheck: false })] })
  return join(root, 'dist/main.js')
}

/**
 * Runs the program to its end.
 * @returns milliseconds from its start to its result
 * @throws Error when the result is wrong, or it ends badly
 */
export async function timeFirstResult(main: string, mark: string, env: NodeJS.ProcessEnv): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const errors = text(child.stderr)
  const ended = once(child, 'close')
  let output = ''
  let firstMs = Number.NaN
  child.stdout.on('data', (chunk: Buffer) => {
    if (output === '') firstMs = performance.now() - start
    output += chunk.toString()
  })
  await ended
  if (child.exitCode !== 0 || output !== `${JSON.stringify({ result: 49, mark })}\n`)
    throw new Error(`The program ended with ${child.exitCode} and printed "${output}".\n${await errors}`)
  return firstMs
}
