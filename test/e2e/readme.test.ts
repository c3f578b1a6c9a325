import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, test } from 'vitest'

// What the README says must work for somebody who copies it, with the packages as they would be published.

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = ['worker-base', 'runtime', 'vite-plugin-turbolift']

let folder: string
let readme: string
let tarballs: Readonly<Record<string, string>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'readme-'))
  readme = await readFile(join(root, 'README.md'), 'utf8')
  tarballs = await packAll(join(folder, 'tarballs'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Tarballs by package name. */
async function packAll(destination: string): Promise<Record<string, string>> {
  const { packageManager } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  for (const name of packages) {
    const cwd = join(root, 'packages', name)
    await run('npx', ['--yes', packageManager, 'pack', '--pack-destination', destination], { cwd })
  }
  const find = (names: readonly string[], start: RegExp) =>
    join(destination, names.find((name) => start.test(name)) ?? '')
  const names = await readdir(destination)
  return {
    '@turbolift/worker-base': find(names, /^turbolift-worker-base-/),
    turbolift: find(names, /^turbolift-\d/),
    'vite-plugin-turbolift': find(names, /^vite-plugin-turbolift-/),
  }
}

/** The code block that follows the name of its file. */
function blockOf(file: string): string {
  const [, block] = new RegExp('`' + file.replace('.', '\\.') + '`\\n\\n```ts\\n([^]*?)```').exec(readme) ?? []
  if (block === undefined) throw new Error(`README.md has no block for ${file}.`)
  return block
}

/** The lines of all shell blocks of a chapter. */
function commandsOf(chapter: string): string[] {
  const text = readme.split(/^## /m).find((part) => part.startsWith(chapter)) ?? ''
  const blocks = [...text.matchAll(/```sh\n([^]*?)```/g)].map(([, block = '']) => block)
  return blocks.flatMap((block) => block.trim().split('\n'))
}

test('the example works in an empty folder, with npm alone', async () => {
  const project = join(folder, 'project')
  for (const file of ['vite.config.ts', 'src/main.ts']) {
    await mkdir(dirname(join(project, file)), { recursive: true })
    await writeFile(join(project, file), blockOf(file))
  }
  const commands = commandsOf('Use it')
  expect(commands.length).toBeGreaterThan(4)
  let output = ''
  for (const command of commands) {
    const [program = '', ...args] = command.split(' ').map((word) => tarballs[word] ?? word)
    // The packages are not published yet, so npm is told where the one is that the others need.
    const more = command.startsWith('npm install turbolift') ? [tarballs['@turbolift/worker-base'] ?? ''] : []
    output = (await run(program, [...args, ...more], { cwd: project })).stdout
  }
  const [, promised] = /node dist\/main\.js\n```\n\n```\n([^]*?)```/.exec(readme) ?? []
  expect(output).toBe(promised)
})

test('the packages hold what they need and no sources of tests', async () => {
  for (const tarball of Object.values(tarballs)) {
    const { stdout } = await run('tar', ['tzf', tarball])
    const files = stdout.trim().split('\n')
    expect(files).toContain('package/package.json')
    expect(files).toContain('package/LICENSE')
    expect(files).toContain('package/README.md')
    expect(files.filter((file) => file.includes('.test.'))).toEqual([])
  }
})
