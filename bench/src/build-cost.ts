import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { build } from 'vite'
import { turbolift } from 'vite-plugin-turbolift'

import type { Section } from './report.ts'
import { measureByTurns } from './rounds.ts'

const ROUNDS = 5

/** A program of so many modules, each with so many functions that are lifted or not. */
interface Shape {
  readonly modules: number
  readonly functions: number
  readonly isLifted: boolean
}

const shapes: readonly Shape[] = [
  { modules: 50, functions: 1 },
  { modules: 200, functions: 0.5 },
  { modules: 200, functions: 1.5 },
  { modules: 200, functions: 5 },
].flatMap((shape) => [false, true].map((isLifted) => ({ ...shape, isLifted })))

/** What lifting adds to the time of a build. */
export async function benchBuildCost(): Promise<Section> {
  const folder = await mkdtemp(join(process.cwd(), 'dist-build-cost-'))
  try {
    const projects = await Promise.all(shapes.map((shape, index) => writeProject(join(folder, String(index)), shape)))
    const times = await measureByTurns(
      projects.map((root) => ({ name: root, measure: () => timeBuild(root) })),
      ROUNDS,
    )
    return toSection([...times.values()])
  } finally {
    await rm(folder, { recursive: true })
  }
}

function toSection(times: readonly number[]): Section {
  const rows = shapes.flatMap((shape, index) => {
    if (shape.isLifted) return []
    const [plain = Number.NaN, lifted = Number.NaN] = times.slice(index, index + 2)
    const functions = shape.modules * shape.functions
    const added = lifted - plain
    return [
      [
        `${functions} functions in ${shape.modules} modules`,
        `${plain.toFixed(0)} ms`,
        `${lifted.toFixed(0)} ms`,
        (lifted / plain).toFixed(2),
        `${((added / functions) * 1000).toFixed(0)} µs`,
      ],
    ]
  })
  return {
    title: 'Cost of a build',
    text:
      'The same program built by Vite with and without the directive in its functions, with the plugin in both. ' +
      `${ROUNDS} rounds by turns, the median counts. Types are not checked in it.`,
    head: ['lifted', 'without directive', 'with it', 'ratio', 'more for each function'],
    rows,
  }
}

async function timeBuild(root: string): Promise<number> {
  const start = performance.now()
  await build({ root, configFile: false, logLevel: 'silent', plugins: [turbolift({ typecheck: false })] })
  return performance.now() - start
}

async function writeProject(root: string, { modules, functions, isLifted }: Shape): Promise<string> {
  await mkdir(join(root, 'src'), { recursive: true })
  await writeFile(join(root, 'package.json'), '{ "name": "cost", "type": "module" }')
  const numbers = Array.from({ length: modules }, (_, index) => index)
  // Functions are dealt out evenly, so that 0.5 a module means every second one has one.
  const countOf = (index: number) => Math.floor((index + 1) * functions) - Math.floor(index * functions)
  await Promise.all(
    numbers.map((index) => writeFile(join(root, `src/part${index}.ts`), toModule(index, countOf(index), isLifted))),
  )
  const imports = numbers.map((index) => `import * as part${index} from './part${index}.ts'`).join('\n')
  const uses = numbers.map((index) => `...Object.values(part${index})`).join(', ')
  await writeFile(join(root, 'src/main.ts'), `${imports}\nfor (const f of [${uses}]) console.log(await f(1))\n`)
  return root
}

function toModule(index: number, functions: number, isLifted: boolean): string {
  const directive = isLifted ? "'use lift'\n  " : ''
  const lifted = Array.from(
    { length: functions },
    (_, n) =>
      `export async function work${n}(value: number): Promise<number> {\n  ${directive}return scale(value) + ${n}\n}\n`,
  )
  const own = `const factors = [1, 2, 3, ${index}]\nfunction scale(value: number): number {\n  return factors.reduce((sum, f) => sum + f * value, 0)\n}\n`
  return `${own}export async function plain(value: number) {\n  return scale(value) * 2\n}\n${lifted.join('')}`
}
