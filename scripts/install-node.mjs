// Makes sure that there is a Node of a version (`20.19`, `24`) and prints the folder of its program. One that runs this
// script and fits is taken; others are installed once, from npm, into the user's cache folder.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const [version] = process.argv.slice(2)
if (version === undefined) fail('node scripts/install-node.mjs VERSION')
console.log(isOf(version, process.versions.node) ? dirname(process.execPath) : installed(version))

function isOf(wanted, found) {
  return `${found}.`.startsWith(`${wanted}.`)
}

function installed(wanted) {
  const name = `node-${process.platform}-${process.arch}`
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const folder = join(cache, 'turbolift-nodes', wanted)
  const bin = join(folder, 'node_modules', name, 'bin')
  if (!existsSync(join(bin, 'node'))) {
    const words = ['install', '--prefix', folder, '--no-audit', '--no-fund', `${name}@${wanted}`]
    const { status, error } = spawnSync('npm', words, { stdio: ['ignore', 2, 2] })
    if (error || status !== 0) fail(`"npm ${words.join(' ')}" failed${error ? `: ${error.message}` : ''}.`)
  }
  const { stdout, error } = spawnSync(join(bin, 'node'), ['--version'], { encoding: 'utf8' })
  if (error || !isOf(wanted, stdout.trim().slice(1))) fail(`${bin} has no Node ${wanted} that runs here.`)
  return bin
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
