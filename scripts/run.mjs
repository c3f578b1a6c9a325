// Runs one of the repository's commands on a machine that has nothing but Node and npm:
// fetches the pinned pnpm, installs the locked dependencies, builds the packages, then runs the command.
// Further arguments go to the command's last step: `npm test -- playground/squares`.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { packageManager, engines } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))

/** SvelteKit writes the `tsconfig.json` that the one of its project extends. */
const syncSvelteKit = ['--filter', './playground/sveltekit', 'exec', 'svelte-kit', 'sync']

const commands = {
  demo: [['--filter', './playground/permutation-test', 'run', 'demo']],
  test: [syncSvelteKit, ['exec', 'vitest', 'run']],
  'test:cluster': [['exec', 'node', 'scripts/test-cluster.mjs']],
  // The packages as npm would give them, for projects outside of this repository.
  pack: [['-r', '--filter', './packages/*', 'pack', '--pack-destination', `${root}/dist`]],
  // Random bytes for the wire decoder, or with `http` or `frames` for a worker: `npm run fuzz -- http 1000000 7`.
  fuzz: [['exec', 'node', 'packages/worker-base/test/fuzz/main.mjs']],
  bench: [['--filter', './bench', 'run', 'bench']],
  check: [
    ['exec', 'oxfmt', '--check', '.'],
    ['exec', 'tsc', '-p', '.'],
    syncSvelteKit,
    ['-r', 'exec', 'tsc', '-p', '.'],
    ['exec', 'oxlint', '--type-aware', '--deny-warnings', '.'],
    ['exec', 'knip'],
    ['-r', '--filter', './packages/*', 'exec', 'publint', '--strict'],
    ['-r', '--filter', './packages/*', 'exec', 'attw', '--pack', '.', '--profile', 'esm-only'],
    ['exec', 'vitest', 'run'],
  ],
}

const [name, ...rest] = process.argv.slice(2)
const steps = commands[name]
if (steps === undefined) fail(`Unknown command "${name}". Known: ${Object.keys(commands).join(', ')}.`, 2)
checkNode(process.versions.node)

prepare('Installing the locked dependencies', ['install', '--frozen-lockfile'])
prepare('Building the packages', ['run', 'build'])
for (const [index, step] of steps.entries()) {
  const status = pnpm(step, index === steps.length - 1 ? rest : [], 'inherit').status
  if (status !== 0) fail(`"${step.join(' ')}" failed; see above.`, status ?? 1)
}

/** Says what it does, and shows what the step printed only when it fails. */
function prepare(title, args) {
  console.error(`${title} …`)
  const { status, stdout, stderr } = pnpm(args, [], 'pipe')
  if (status !== 0) fail(`${stdout}${stderr}\n${title} failed: "${packageManager} ${args.join(' ')}".`, status ?? 1)
}

function pnpm(args, more, stdio) {
  const command = ['--yes', packageManager, ...args, ...more]
  const windows = process.platform === 'win32'
  const result = spawnSync('npx', command, { cwd: root, stdio, encoding: 'utf8', shell: windows })
  if (result.error)
    fail(`npx could not be started: ${result.error.message}. It comes with npm; install npm 10 or newer.`, 1)
  return result
}

/** The floor is that of Vite 8; an older Node would fail later with a syntax error that says nothing. */
function checkNode(version) {
  const [major, minor] = version.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) return
  fail(`Node ${version} is too old: this needs ${engines.node}. Get a newer one from https://nodejs.org.`, 1)
}

function fail(message, status) {
  console.error(message)
  process.exit(status)
}
