// Makes sure that there is a Chromium for the tests of the watch page: prints its path. Where there is none, it is
// installed by apt, which takes root on Debian or Ubuntu.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const find = () => places.find((path) => path && existsSync(path))

if (find() === undefined) {
  run('apt-get', ['update', '-q'])
  run('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'chromium'])
}
const found = find()
if (found === undefined) fail('No Chromium was found after its installation.')
console.log(found)

function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env })
  if (error || status !== 0)
    fail(
      `"${command} ${args.join(' ')}" failed${error ? `: ${error.message}` : ''}. Install a Chromium, or name one with CHROMIUM.`,
    )
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
