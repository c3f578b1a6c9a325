import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { chromium } from 'playwright-core'
import type { BrowserContext } from 'playwright-core'

/** A Chromium on this machine, if there is one: `node scripts/install-chromium.mjs` sees to it. */
export const chromiumPath: string | undefined = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path))

export interface TestBrowser extends AsyncDisposable {
  readonly context: BrowserContext
}

export async function createBrowser(colorScheme: 'light' | 'dark' = 'light'): Promise<TestBrowser> {
  if (chromiumPath === undefined) throw new Error('No Chromium: run "node scripts/install-chromium.mjs".')
  const profile = await mkdtemp(join(tmpdir(), 'turbolift-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    colorScheme,
    viewport: { width: 1280, height: 900 },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}
