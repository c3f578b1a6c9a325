import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { rolldown } from 'rolldown'
import { rollup } from 'rollup'
import esbuild from 'rollup-plugin-esbuild'
import { expect, test } from 'vitest'

import { turbolift } from '../src/plugin.ts'
import { createProject } from './bundlers.ts'

const source = `export const result = (async () => work(20))()
async function work(n: number) {
  'use lift'
  return n + 1
}
result.then((value) => console.log(value))`

interface Output {
  readonly dir: string
  readonly format: 'es' | 'cjs'
  readonly entryFileNames: string
  readonly chunkFileNames: string
}

interface BuiltOnce {
  write(output: Output): Promise<unknown>
  close(): Promise<void>
}

const hosts: readonly {
  readonly name: string
  build(root: string, plugins: { name: string }[]): Promise<BuiltOnce>
}[] = [
  {
    name: 'Rollup',
    build: (root, plugins) =>
      rollup({
        input: join(root, 'src/main.ts'),
        plugins: [esbuild({ target: 'node20' }), ...plugins],
        external: /^(?:node:|turbolift)/,
      }),
  },
  {
    name: 'rolldown',
    build: (root, plugins) =>
      rolldown({ input: join(root, 'src/main.ts'), cwd: root, platform: 'node', plugins, logLevel: 'silent' }),
  },
]

test.each(hosts)('several outputs of one build by $name have the same workers, built once', async (host) => {
  await using project = await createProject({ 'src/main.ts': source })
  let transforms = 0
  const counter = {
    name: 'counter',
    transform: (_: string, id: string) => void (transforms += Number(/main\.ts$/.test(id))),
  }
  const built = await host.build(project.root, [counter, ...turbolift({ typecheck: false })])
  const outputs = ['es', 'cjs'] as const
  for (const format of outputs) {
    const extension = format === 'es' ? 'mjs' : 'cjs'
    const names = { entryFileNames: `main.${extension}`, chunkFileNames: `[name]-[hash].${extension}` }
    await built.write({ dir: join(project.root, 'dist'), format, ...names })
  }
  await built.close()
  const [esm, common] = await Promise.all(
    ['main.mjs', 'main.cjs'].map((name) => readFile(join(project.root, 'dist', name), 'utf8')),
  )
  const hashOf = (text: string | undefined) => /"?hash"?: ?"([0-9a-f]{64})"/.exec(text ?? '')?.[1]
  expect(hashOf(esm)).toMatch(/^[0-9a-f]{64}$/)
  expect(hashOf(common)).toBe(hashOf(esm))
  // rolldown begins its build anew for each output; the workers are those of the first.
  expect(transforms).toBe(host.name === 'rolldown' ? 3 : 2)
  const env = { ...process.env, VITEST: undefined }
  for (const name of ['main.mjs', 'main.cjs']) {
    const { stdout } = await promisify(execFile)(process.execPath, [join(project.root, 'dist', name)], { env })
    expect(stdout).toBe('21\n')
  }
})
