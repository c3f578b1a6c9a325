import { describe, expect, test } from 'vitest'

import { turbolift } from '../src/plugin.ts'
import { runProgram } from './built-program.ts'
import { bundlers, createProject } from './bundlers.ts'

/** The smallest module there is: one function that adds two numbers. */
const wasm = Buffer.from('0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b', 'hex')

const vites = bundlers.filter(({ name }) => name.startsWith('Vite'))

async function run(bundler: (typeof bundlers)[number], files: Readonly<Record<string, string>>): Promise<string> {
  await using project = await createProject(files, bundler.viteName)
  await bundler.build({ root: project.root, input: { main: 'src/main.ts' }, plugins: turbolift({ typecheck: false }) })
  return (await runProgram(project.root)).stdout
}

describe.each(vites)('$name: what the host compiles may be in lifted functions', (bundler) => {
  test('using and await using', async () => {
    const stdout = await run(bundler, {
      'src/main.ts': `
        async function work() {
          'use lift'
          const log: string[] = []
          {
            using first = { [Symbol.dispose]: () => void log.push('first') }
            await using second = { [Symbol.asyncDispose]: async () => void log.push('second') }
            log.push(typeof first, typeof second)
          }
          return log
        }
        console.log(JSON.stringify(await work()))`,
    })
    expect(stdout).toBe('["object","object","second","first"]\n')
  })

  test('decorators of TypeScript', async () => {
    const stdout = await run(bundler, {
      'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true, "target": "es2022" } }',
      'src/main.ts': `
        const twice = (_: object, __: string, descriptor: PropertyDescriptor) => {
          const inner = descriptor.value
          descriptor.value = function (n: number) { return inner.call(this, n) * 2 }
        }
        class Job {
          @twice
          run(n: number) { return n + 1 }
        }
        async function work(n: number) { 'use lift'; return new Job().run(n) }
        console.log(await work(4))`,
    })
    expect(stdout).toBe('10\n')
  })

  test('JSX', async () => {
    const stdout = await run(bundler, {
      'tsconfig.json': '{ "compilerOptions": { "jsx": "react", "jsxFactory": "h", "target": "es2022" } }',
      'src/main.ts': `import { render } from './page.tsx'\nconsole.log(await render('you'))`,
      'src/page.tsx': `
        const h = (tag: string, _: unknown, ...children: unknown[]) => '<' + tag + '>' + children.join('') + '</' + tag + '>'
        export async function render(name: string) {
          'use lift'
          return <p>hello {name}</p>
        }`,
    })
    expect(stdout).toBe('<p>hello you</p>\n')
  })

  test('WebAssembly beside the module', async () => {
    const stdout = await run(bundler, {
      'src/main.ts': `
        import { readFile, writeFile } from 'node:fs/promises'
        async function add(a: number, b: number) {
          'use lift'
          const bytes = await readFile(new URL('./add.txt', import.meta.url), 'utf8')
          const { instance } = await WebAssembly.instantiate(Buffer.from(bytes, 'base64'))
          return (instance.exports['add'] as (a: number, b: number) => number)(a, b)
        }
        console.log(await add(2, 3), typeof writeFile)`,
      'src/add.txt': wasm.toString('base64'),
    })
    expect(stdout).toBe('5 function\n')
  })

  test('a linked package of the workspace', async () => {
    const stdout = await run(bundler, {
      'src/main.ts': `import { plus } from '../packages/math/index.ts'\nasync function work() { 'use lift'; return plus(1) }\nconsole.log(await work())`,
      'packages/math/package.json': '{ "name": "math", "type": "module", "exports": "./index.ts" }',
      'packages/math/index.ts': 'export const plus = (n: number): number => n + 41',
    })
    expect(stdout).toBe('42\n')
  })
})
