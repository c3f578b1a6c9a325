import { execFile } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { build } from 'vite'
import { afterEach, expect, test } from 'vitest'

import { turbolift } from '../src/plugin.ts'
import { readProgram, runProgram } from './built-program.ts'
import { createProject } from './bundlers.ts'
import type { Project } from './bundlers.ts'

const projects: Project[] = []

afterEach(async () => {
  await Promise.all(projects.splice(0).map((project) => project[Symbol.asyncDispose]()))
})

async function createBuild(files: Readonly<Record<string, string>>, config: object = {}): Promise<string> {
  const project = await createProject(files)
  projects.push(project)
  const { root } = project
  await symlink(join(import.meta.dirname, '../node_modules/bufferutil'), join(root, 'node_modules/bufferutil'))
  await symlink(join(import.meta.dirname, '..'), join(root, 'node_modules/vite-plugin-turbolift'))
  await build({
    root,
    configFile: false,
    logLevel: 'silent',
    ...config,
    plugins: [...pluginsOf(config), turbolift({ typecheck: false })],
  })
  return root
}

function pluginsOf(config: object): { readonly name: string }[] {
  return 'plugins' in config && Array.isArray(config.plugins) ? config.plugins : []
}

test('a project without configuration gives one file that runs anywhere', async () => {
  const root = await createBuild({
    'src/main.ts': `const f = async (n: number) => { 'use lift'; return n + 1 }\nconsole.log(await f(1))`,
  })
  const { main } = await readProgram(root)
  expect(main).not.toMatch(/from ["']turbolift/)
  expect((await runProgram(root)).stdout).toBe('2\n')
})

test('workers have JSON, raw text, assets, aliases, defines, environment and virtual modules', async () => {
  const virtual = {
    name: 'virtual-settings',
    resolveId: (id: string) => (id === 'virtual:settings' ? '\0virtual:settings' : null),
    load: (id: string) => (id === '\0virtual:settings' ? 'export const level = 9' : null),
  }
  const root = await createBuild(
    {
      'src/main.ts': `import { all } from './all.ts'\nconsole.log(JSON.stringify(await all()))`,
      'src/all.ts': `
        import { readFile } from 'node:fs/promises'
        import table from './table.json'
        import text from './text.txt?raw'
        import address from './data.bin?url'
        import { level } from 'virtual:settings'
        import { plus } from '@/plus.ts'
        declare const __BUILD__: string
        export async function all() {
          'use lift'
          const bytes = await readFile(new URL('./data.bin', import.meta.url))
          return [table.a, text, level, plus(1), __BUILD__, import.meta.env.MODE, import.meta.env.VITE_NAME, bytes.length, new URL(address, import.meta.url).protocol]
        }`,
      'src/table.json': '{ "a": 1, "unused": "MARKER_UNUSED_JSON" }',
      'src/text.txt': 'raw text',
      'src/data.bin': 'x'.repeat(5000),
      'src/lib/plus.ts': 'export const plus = (n: number) => n + 1',
      '.env': 'VITE_NAME=turbo',
    },
    { plugins: [virtual], resolve: { alias: { '@': '/src/lib' } }, define: { __BUILD__: '"b1"' } },
  )
  expect((await runProgram(root)).stdout).toBe('[1,"raw text",9,2,"b1","production","turbo",5000,"file:"]\n')
})

test('packages with native code stay outside and work in local workers', async () => {
  const root = await createBuild({
    'src/main.ts': `
      import { mask } from 'bufferutil'
      async function masked(text: string) {
        'use lift'
        const source = Buffer.from(text), output = Buffer.alloc(source.length)
        mask(source, Buffer.from([1, 2, 3, 4]), output, 0, source.length)
        return output.toString('hex')
      }
      console.log(await masked('abcd'))`,
  })
  const { main, workerCode } = await readProgram(root)
  expect(main).toMatch(/externals["']?: ?\[["'`]bufferutil["'`]\]/)
  expect(workerCode).toMatch(/from ["']bufferutil["']/)
  expect((await runProgram(root)).stdout).toBe('60606060\n')
})

test('the configuration file of the project holds for workers too', async () => {
  const project = await createProject({
    'vite.config.ts': `
      import turbolift from 'vite-plugin-turbolift'
      export default { define: { __FROM_FILE__: '"file"' }, plugins: [turbolift({ typecheck: false })] }`,
    'src/main.ts': `
      declare const __FROM_FILE__: string
      const f = async () => { 'use lift'; return __FROM_FILE__ }
      console.log(await f())`,
  })
  projects.push(project)
  await symlink(join(import.meta.dirname, '..'), join(project.root, 'node_modules/vite-plugin-turbolift'))
  // In a process of its own: Vitest's would load the sources of this workspace.
  await promisify(execFile)(process.execPath, ['node_modules/vite/bin/vite.js', 'build'], {
    cwd: project.root,
    env: { ...process.env, VITEST: undefined },
  })
  expect((await runProgram(project.root)).stdout).toBe('file\n')
})

test('code for the browser has no lifted functions', async () => {
  const building = createBuild({
    'index.html': '<script type="module" src="/src/main.ts"></script>',
    'src/main.ts': `export const f = async () => { 'use lift'; return 1 }\nconsole.log(await f())`,
  })
  await expect(building).rejects.toThrow(/DIRECTIVE_IN_CLIENT[\s\S]*src\/main\.ts:1:/)
})
