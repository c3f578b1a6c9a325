import { readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { build as vite8 } from 'vite'
import { expect, test } from 'vitest'

import { turbolift } from '../src/plugin.ts'
import { runProgram } from './built-program.ts'
import { createProject } from './bundlers.ts'

const require = createRequire(import.meta.url)

test.each(['vite', 'vite-7'])('%s with nothing but the plugin writes one file', async (name) => {
  const { build }: { build: typeof vite8 } = await import(pathToFileURL(require.resolve(name)).href)
  await using project = await createProject(
    {
      'src/main.ts': `import { one } from './one.ts'\nconsole.log(await one(), (await import('./late.ts')).late)`,
      'src/one.ts': `import { two, step } from './two.ts'\nexport async function one() { 'use lift'; return (await two()) + step }`,
      'src/two.ts': `export const step = 5\nexport async function two() { 'use lift'; return 2 }`,
      'src/late.ts': `export const late = 'late'`,
    },
    name,
  )
  const said: string[] = []
  const say = (message: string) => void said.push(message)
  const customLogger = {
    info: say,
    warn: say,
    warnOnce: say,
    error: say,
    clearScreen: () => {},
    hasErrorLogged: () => false,
    hasWarned: false,
  }
  const plugins = [...turbolift({ typecheck: false })]
  await build({ root: project.root, configFile: false, customLogger, plugins })
  expect(await readdir(join(project.root, 'dist'))).toEqual(['main.js'])
  expect(said.filter((line) => /fail|error|unknown|warn/i.test(line))).toEqual([])
  expect((await runProgram(project.root)).stdout).toBe('7 late\n')
  // Its calls are awaited at the top level: nothing that they need may stand behind it in the file.
  const environment = { TURBOLIFT_TARGET: 'kubernetes', KUBECONFIG: join(project.root, 'none') }
  await expect(runProgram(project.root, environment)).rejects.toThrow(/no usable kubeconfig[\s\S]*none does not exist/)
})

test('a chunk of Vite 8 is not read again for dead code, unless the user wants it small', async () => {
  await using project = await createProject({
    'src/main.ts': `async function one() { 'use lift'; return 1 }\nawait one()`,
  })
  const minified = async (minify: boolean): Promise<unknown> => {
    let found: unknown // of the program's build, which ends last
    const look = { name: 'look', renderStart: (output: object) => void (found = Reflect.get(output, 'minify')) }
    const plugins = [...turbolift({ typecheck: false }), { ...look, apply: 'build' as const, sharedDuringBuild: true }]
    await vite8({ root: project.root, configFile: false, logLevel: 'silent', plugins, build: { minify } })
    return found
  }
  expect(await minified(false)).toBe(false)
  expect(await minified(true)).not.toBe(false)
})
