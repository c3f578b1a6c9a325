// Installs Debian's Chromium for the tests that look at real pages; does nothing where a browser is there already.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const places = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
if (places.some((path) => path && existsSync(path))) process.exit(0)
if (!existsSync('/usr/bin/apt-get')) {
  console.error('No Chromium here, and no apt-get to install it: set CHROMIUM_PATH to a Chromium or Chrome.')
  process.exit(1)
}
const sudo = process.getuid() === 0 ? [] : ['sudo']
for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]) {
  const [command, ...rest] = [...sudo, 'apt-get', '-qq', ...args]
  const { status } = spawnSync(command, rest, {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (status !== 0) process.exit(status ?? 1)
}
