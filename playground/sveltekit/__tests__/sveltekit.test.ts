import { execFile } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { beforeAll, describe, expect, test, vi } from 'vitest'

import { openPage } from '../../../test/browser/chromium.ts'
import { startServer } from './server.ts'
import type { RunningServer } from './server.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const vite = join(createRequire(join(root, 'package.json')).resolve('vite/package.json'), '../bin/vite.js')
const known = { 8: 92, 10: 724, 12: 14_200 }

describe('the built server', () => {
  beforeAll(() => promisify(execFile)(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: root }))
  const start = (target: string) =>
    startServer(root, ['build/index.js'], { PORT: '0', HOST: '127.0.0.1', TURBOLIFT_TARGET: target })

  test('counts in workers, and takes them along when it ends', async () => {
    await using server = await start('local')
    await expectCounts(server)
    const workers = await server.workers()
    expect(workers.length).toBeGreaterThan(0)
    expect((await count(server, 12)).workers).not.toContain(server.pid)
    await server.end()
    await vi.waitFor(async () => expect(await server.workers()).toEqual([]))
  })

  test('gives the same answers inline', async () => {
    await using server = await start('inline')
    await expectCounts(server)
    expect(await count(server, 8)).toMatchObject({ workers: [server.pid] })
  })

  test('keeps the body of the lifted function away from the browser, and the server', async () => {
    const isCode = (path: string) => path.endsWith('.js')
    const read = async (folder: string) => {
      const files = (await readdir(join(root, folder), { recursive: true })).filter(isCode)
      return (await Promise.all(files.map((file) => readFile(join(root, folder, file), 'utf8')))).join('\n')
    }
    const [browser, server] = await Promise.all([read('build/client'), read('build/server')])
    for (const half of [browser, server]) expect(half).not.toMatch(/free & -free|columns === full/)
    expect(browser).not.toContain('H4sI')
    expect(server).toContain('H4sI')
  })

  test('serves a page that works in Chromium', async () => {
    await using server = await start('local')
    await expectPageWorks(server)
  })
})

describe('the dev server', () => {
  const start = () =>
    startServer(root, [vite, 'dev', '--port', '0', '--host', '127.0.0.1'], { TURBOLIFT_TARGET: 'local' })

  test('counts in workers', async () => {
    await using server = await start()
    await expectCounts(server)
    expect((await count(server, 12)).workers).not.toContain(server.pid)
  })

  test('serves a page that works in Chromium', async () => {
    await using server = await start()
    await expectPageWorks(server)
  })
})

async function expectCounts(server: RunningServer): Promise<void> {
  for (const [size, solutions] of Object.entries(known)) {
    expect(await count(server, Number(size))).toMatchObject({ size: Number(size), solutions })
  }
  const refused = await fetch(`${server.url}/api/queens/99`)
  expect({ status: refused.status, body: await refused.json() }).toMatchObject({
    status: 400,
    body: { message: 'A board of 99 is not offered.' },
  })
}

async function count(server: RunningServer, size: number): Promise<{ readonly workers: readonly number[] }> {
  const response = await fetch(`${server.url}/api/queens/${size}`)
  const answer: { readonly workers: readonly number[] } = JSON.parse(await response.text())
  return answer
}

async function expectPageWorks(server: RunningServer): Promise<void> {
  await using open = await openPage(server.url)
  const { page, problems } = open
  await expect.poll(() => page.locator('tbody tr').count()).toBe(1)
  expect(await page.locator('tbody tr').first().innerText()).toMatch(/^8\s+92\s/)
  await page.getByLabel('Width').fill('12')
  await page.getByRole('button', { name: 'Count' }).click()
  await expect.poll(() => page.locator('tbody tr').count()).toBe(2)
  expect(await page.locator('tbody tr').last().innerText()).toMatch(/^12\s+14200\s/)
  expect(problems).toEqual([])
}
