import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
/** Opens a page in Chromium, which is installed first where it is missing. */
export async function openPage(url) {
  const browser = await launchChromium()
  const page = await browser.newPage()
  const problems = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('requestfailed', (request) => problems.push(`${request.url()}: ${request.failure()?.errorText}`))
  await page.goto(url, { waitUntil: 'networkidle' })
  return { page, problems, [Symbol.asyncDispose]: () => browser.close() }
}
async function launchChromium() {
  const executablePath = findChromium() ?? installChromium()
  // The sandbox of the browser cannot be had by root, as in containers.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return await chromium.launch({ executablePath, args })
}
function findChromium() {
  return [process.env['CHROMIUM_PATH'] ?? '', ...PLACES].find((path) => existsSync(path))
}
function installChromium() {
  const script = fileURLToPath(new URL('../../scripts/install-chromium.mjs', import.meta.url))
  spawnSync(process.execPath, [script], { stdio: 'inherit' })
  const path = findChromium()
  if (path === undefined) throw new Error('No Chromium: run "node scripts/install-chromium.mjs", or set CHROMIUM_PATH.')
  return path
}
