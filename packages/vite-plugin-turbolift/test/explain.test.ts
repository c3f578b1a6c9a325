import { execFile } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { createProject } from './bundlers.ts'
import type { Project } from './bundlers.ts'

const config = "import { turbolift } from 'vite-plugin-turbolift'\nexport default { plugins: [turbolift()] }"

async function build({ root }: Project, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const command = join(root, 'node_modules/turbolift/dist/cli/main.js')
  const env = { ...process.env, VITEST: undefined, NODE_PATH: undefined }
  const run = promisify(execFile)(process.execPath, [command, 'build', ...args], { cwd: root, env })
  return await run.catch((error: { readonly stdout: string; readonly stderr: string }) => error)
}

async function createBuildProject(main: string): Promise<Project> {
  const project = await createProject({ 'vite.config.ts': config, 'src/main.ts': main })
  await symlink(resolve(import.meta.dirname, '..'), join(project.root, 'node_modules/vite-plugin-turbolift'))
  return project
}

test('turbolift build --explain builds, and tells what leaves the machine', async () => {
  await using project = await createBuildProject(
    "async function work() { 'use lift'; return process.env.LEVEL }\nconsole.log(await work())",
  )
  const { stdout } = await build(project, ['--explain', '--', '--outDir', 'out'])
  expect(stdout).toContain('out/main.js')
  expect(stdout).toContain('- `src/main.ts#work` in pool default')
  expect(stdout).toContain('- reads from the environment: `LEVEL`\n')
  expect((await build(project, [])).stdout).not.toContain('- `src/main.ts#work` in pool default')
})

test('a program without lifted functions, one that does not build, and a folder without Vite', async () => {
  await using plain = await createBuildProject('console.log(1)')
  expect((await build(plain, ['--explain'])).stdout).toContain('nothing leaves the machine')
  await using broken = await createBuildProject("function work() { 'use lift' }\nconsole.log(work)")
  const failed = await build(broken, ['--explain'])
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('FUNCTION_NOT_ASYNC') })
  expect(failed.stdout).not.toContain('nothing leaves')
  const elsewhere = await build(plain, ['--root', '/'])
  expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('VITE_MISSING') })
})
