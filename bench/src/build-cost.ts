import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { Section } from './report.ts'
import { measureByTurns } from './rounds.ts'

const ROUNDS = 9

/** Programs of so many modules, each with so many functions that are lifted or not, and so many lines of other code. */
interface Shape {
  /** Whether each function uses one of some packages of 1 to 3 MB. */
  readonly usesPackages?: boolean
  readonly modules: number
  readonly functions: number
  readonly lines: number
}

const shapes: readonly Shape[] = [
  { modules: 50, functions: 1, lines: 7 },
  { modules: 50, functions: 1, lines: 150 },
  { modules: 50, functions: 1, lines: 150, usesPackages: true },
  { modules: 200, functions: 0.5, lines: 7 },
  { modules: 200, functions: 1.5, lines: 7 },
  { modules: 200, functions: 5, lines: 7 },
]

const packages = ['undici', 'bullmq', '@opentelemetry/sdk-trace-base', 'prom-client', 'workerpool', 'ioredis']

/**
 * Without lifting and without the runtime; with an import of the runtime, as a program of `map` has it; lifted; and
 * what lifting cannot do without, by the bundler alone: all of the runtime, and a second build for the workers.
 */
const variants = ['plain', 'runtime', 'lifted', 'bare'] as const
type Variant = (typeof variants)[number]

/** What lifting adds to the time that `vite build` takes. */
export async function benchBuildCost(): Promise<Section> {
  const folder = await mkdtemp(join(process.cwd(), 'dist-build-cost-'))
  try {
    const projects = shapes.flatMap((shape, index) =>
      variants.map((variant) => ({ root: join(folder, `${index}-${variant}`), shape, variant })),
    )
    for (const project of projects) await writeProject(project)
    const times = await measureByTurns(
      projects.map(({ root }) => ({ name: root, measure: () => timeBuild(root) })),
      ROUNDS,
    )
    return toSection([...times.values()])
  } finally {
    await rm(folder, { recursive: true })
  }
}

function toSection(times: readonly number[]): Section {
  const rows = shapes.map(({ modules, functions, lines, usesPackages = false }, index) => {
    const [plain = Number.NaN, runtime = Number.NaN, lifted = Number.NaN, bare = Number.NaN] = times.slice(
      variants.length * index,
    )
    return [
      `${modules * functions} functions in ${modules} modules of ${lines} lines${usesPackages ? ` with ${packages.length} packages` : ''}`,
      ...[plain, runtime, bare, lifted].map((ms) => `${ms.toFixed(0)} ms`),
      (bare / plain).toFixed(2),
      (lifted / plain).toFixed(2),
      (lifted / runtime).toFixed(2),
      `${(((lifted - runtime) / (modules * functions)) * 1000).toFixed(0)} µs`,
    ]
  })
  return {
    title: 'Cost of a build',
    text:
      'The command `vite build` of the same program, with the plugin in its configuration: without the directive, ' +
      'without it but with an import of `map`, and with the directive in its functions. Two builds: what the bundler ' +
      'alone takes to bundle the whole runtime, and the modules of the functions once more for the workers. ' +
      `${ROUNDS} rounds by turns, the median counts. Types are not checked in it.`,
    head: [
      'lifted',
      'plain',
      'imports `map`',
      'two builds',
      'lifted',
      'two builds × plain',
      'lifted × plain',
      'lifted × imports `map`',
      'more for each function',
    ],
    rows,
  }
}

const vite = join(createRequire(import.meta.url).resolve('vite/package.json'), '../bin/vite.js')

async function timeBuild(root: string): Promise<number> {
  const start = performance.now()
  await promisify(execFile)(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: root })
  return performance.now() - start
}

interface Project {
  readonly root: string
  readonly shape: Shape
  readonly variant: Variant
}

async function writeProject({ root, shape, variant }: Project): Promise<void> {
  const { modules, functions, lines, usesPackages = false } = shape
  const write = (name: string, text: string) => writeFile(join(root, name), text)
  await mkdir(join(root, 'src'), { recursive: true })
  await write('package.json', '{ "name": "cost", "type": "module" }')
  await write('vite.config.ts', variant === 'bare' ? twoBuilds : withPlugin)
  const numbers = Array.from({ length: modules }, (_, index) => index)
  // Functions are dealt out evenly, so that 0.5 a module means every second one has one.
  const countOf = (index: number) => Math.floor((index + 1) * functions) - Math.floor(index * functions)
  const isLifted = variant === 'lifted'
  await Promise.all(
    numbers.map((index) =>
      write(`src/part${index}.ts`, toModule({ index, lines, functions: countOf(index), isLifted, usesPackages })),
    ),
  )
  await write('src/main.ts', toMain(numbers, variant))
  const loads = numbers.map((index) => `  part${index}: () => import('./part${index}.ts').then(Object.values),\n`)
  if (variant === 'bare') await write('src/functions.ts', `export const functions = {\n${loads.join('')}}\n`)
}

const withPlugin = `import { turbolift } from 'vite-plugin-turbolift'
export default { plugins: [turbolift({ typecheck: false })] }
`

const twoBuilds = `import { build } from 'vite'
const toOptions = (ssr, output) => ({
  build: { ssr, target: 'node20', minify: false, rollupOptions: { output: { format: 'es', ...output } } },
  ssr: { noExternal: true },
})
const second = toOptions('src/functions.ts', {})
export default {
  ...toOptions('src/main.ts', { entryFileNames: '[name].js', codeSplitting: false }),
  plugins: [
    {
      name: 'second',
      async buildEnd() {
        const options = { ...second.build, write: false, sourcemap: true }
        await build({ ...second, configFile: false, logLevel: 'warn', build: options })
      },
    },
  ],
}
`

function toMain(numbers: readonly number[], variant: Variant): string {
  const imports = numbers.map((index) => `import * as part${index} from './part${index}.ts'\n`).join('')
  const uses = numbers.map((index) => `...Object.values(part${index})`).join(', ')
  const loop = `for (const f of [${uses}]) console.log(${variant === 'plain' ? 'await f(1)' : 'await map(f, [1])'})\n`
  const map = variant === 'plain' ? '' : `import { map } from 'turbolift'\n`
  // What each lifted function is made by, and all that it may need.
  const runtime = variant === 'bare' ? `export { createLiftedFunction } from 'turbolift/internal'\n` : ''
  return `${map}${runtime}${imports}${loop}`
}

interface Module {
  readonly index: number
  readonly functions: number
  readonly lines: number
  readonly isLifted: boolean
  readonly usesPackages: boolean
}

function toModule({ index, functions, lines, isLifted, usesPackages }: Module): string {
  const directive = isLifted ? "'use lift'\n  " : ''
  const lifted = Array.from(
    { length: functions },
    (_, n) =>
      `export async function work${n}(value: number): Promise<number> {\n  ${directive}return scale(value) + ${usesPackages ? 'Object.keys(library).length' : n}\n}\n`,
  )
  const library = usesPackages ? `import * as library from '${packages[index % packages.length]}'\n` : ''
  const own = `${library}const factors = [1, 2, 3, ${index}]\nfunction scale(value: number): number {\n  return factors.reduce((sum, f) => sum + f * value, 0)\n}\n`
  return `${own}export async function plain(value: number) {\n  return scale(value) * 2 + ${lines > 10 ? 'other0(value)' : '0'}\n}\n${toOthers(lines)}${lifted.join('')}`
}

/** Functions of seven lines that the main program needs, each calling the next. */
function toOthers(lines: number): string {
  const count = Math.floor(lines / 7) - 1
  const functions = Array.from({ length: count }, (_, n) => {
    const next = n + 1 < count ? `other${n + 1}(value + ${n})` : 'value'
    return `function other${n}(value: number): number {\n  const rows: readonly { readonly key: string; readonly size: number }[] = [\n    { key: \`row-\${value}\`, size: value % ${n + 2} },\n  ]\n  const total = rows.filter(({ size }) => size > 0).reduce((sum, { size }) => sum + size, 0)\n  return total > 10 ? total : ${next}\n}\n`
  })
  return functions.join('')
}
