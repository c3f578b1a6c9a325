// Runs one of the repository's commands on a machine that has nothing but Node and npm:
// fetches the pinned pnpm, installs the locked dependencies, builds the packages, then runs the command.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))

const commands = {
  demo: [['--filter', './playground/permutation-test', 'run', 'demo']],
  test: [['exec', 'vitest', 'run']],
  'test:cluster': [['exec', 'node', 'scripts/test-cluster.mjs']],
  check: [
    ['exec', 'oxfmt', '--check', '.'],
    ['-r', 'exec', 'tsc', '-p', '.'],
    ['exec', 'oxlint', '--type-aware', '.'],
    ['exec', 'knip'],
    ['exec', 'vitest', 'run'],
    ['-r', '--filter', './packages/*', 'exec', 'publint'],
  ],
}

const [name, ...rest] = process.argv.slice(2)
const steps = commands[name]
if (steps === undefined) {
  console.error(`Unknown command "${name}". Known: ${Object.keys(commands).join(', ')}.`)
  process.exit(2)
}
for (const step of [['install', '--frozen-lockfile'], ['run', 'build'], ...steps.slice(0, -1), [...steps.at(-1), ...rest]]) pnpm(step)

function pnpm(args) {
  const quiet = args[0] === 'install' || args[1] === 'build'
  const result = spawnSync('npx', ['--yes', packageManager, ...(quiet ? ['--reporter=silent'] : []), ...args], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (result.status !== 0) {
    console.error(`"pnpm ${args.join(' ')}" failed.`)
    process.exit(result.status ?? 1)
  }
}
