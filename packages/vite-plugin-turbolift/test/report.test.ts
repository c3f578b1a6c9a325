import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { turbolift } from '../src/index.ts'
import { bundlers, createProject } from './bundlers.ts'

const files = {
  'src/main.ts': `import { heavy } from 'heavy'
import { only } from './main-only'
import { tool } from './tool'
async function work(n: number) { 'use lift: big'; return heavy(n) + tool(n) }
async function light() { 'use lift'; return process.env.LEVEL }
console.log(work, light, only)
`,
  'src/main-only.ts': 'export const only = process.env.SECRET',
  'src/tool.ts':
    "import { hostname } from 'node:os'\nimport { deep } from './deep'\nexport const tool = (n: number) => deep(n) + hostname()",
  'src/deep.ts':
    "export const deep = (n: number) => n + String(process.env['TOKEN'])\nexport const unused = () => process.env.UNUSED",
  'node_modules/heavy/package.json': '{ "name": "heavy", "version": "4.5.6", "type": "module", "main": "index.js" }',
  'node_modules/heavy/index.js': 'export const heavy = (n) => n * 2',
}

describe.each(bundlers)('the report with $name', (bundler) => {
  test('tells what each worker holds and why, and nothing of the main program', async () => {
    await using project = await createProject(files, bundler.viteName)
    const plugins = [turbolift({ pools: { big: {} }, report: 'out/lifted.md' })].flat()
    await bundler.build({ root: project.root, input: { main: 'src/main.ts' }, plugins })
    const read = (path: string) => readFile(join(project.root, path), 'utf8')
    const report: unknown = JSON.parse(await read('node_modules/.turbolift/report.json'))
    expect(report).toMatchObject({
      sources: [
        {
          path: 'src/main.ts',
          functions: [
            { id: 'src/main.ts#work', pool: 'big' },
            { id: 'src/main.ts#light', pool: 'default' },
          ],
          modules: 3,
          packages: ['heavy'],
          builtins: ['node:os'],
          externals: [],
          environment: ['LEVEL', 'TOKEN'],
        },
      ],
      packages: [{ name: 'heavy', version: '4.5.6', importedBy: ['src/main.ts'] }],
      environment: [
        { name: 'LEVEL', readBy: ['src/main.ts'] },
        { name: 'TOKEN', readBy: ['src/deep.ts'] },
      ],
    })
    const bytes: unknown = expect.any(Number)
    expect(report).toHaveProperty(
      'modules',
      expect.arrayContaining([
        { path: 'src/main.ts', bytes, importedBy: [] },
        { path: 'src/deep.ts', bytes, importedBy: ['src/tool.ts'] },
      ]),
    )
    const text = await read('out/lifted.md')
    expect(text).toBe(await read('node_modules/.turbolift/report.md'))
    expect(text).toContain('- `src/main.ts#work` in pool big')
    expect(text).not.toMatch(/SECRET|UNUSED|main-only/)
  })
})
