import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

import { ConfigError } from '../errors.ts'
import { flagOption, textOption } from './command.ts'
import type { Command } from './command.ts'

export const build: Command = {
  about: 'Runs "vite build"; with --explain it then tells what each lifted function takes along, and why.',
  usage: '[--explain] [-- <arguments of vite build>]',
  options: { root: { type: 'string' }, explain: { type: 'boolean' } },
  explain: {
    root: 'folder of vite.config, default the current one',
    explain: 'print modules, packages, sizes and environment variables of each worker',
  },
  isProgram: true,
  async run(call) {
    const root = resolve(textOption(call, 'root') ?? '.')
    const report = join(root, 'node_modules/.turbolift/report.md')
    if (!flagOption(call, 'explain')) return await runViteBuild(root, call.positionals)
    await rm(report, { force: true })
    const exitCode = await runViteBuild(root, call.positionals)
    if (exitCode === 0) call.output.print(await readReport(report))
    return exitCode
  },
}

/** Vite's own command, so that the build is the one that "vite build" does. */
async function runViteBuild(root: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [findVite(root), 'build', ...args], { cwd: root, stdio: 'inherit' })
  await once(child, 'close')
  return child.exitCode ?? 1
}

function findVite(root: string): string {
  try {
    return join(createRequire(join(root, 'package.json')).resolve('vite/package.json'), '../bin/vite.js')
  } catch (cause) {
    throw new ConfigError(
      'VITE_MISSING',
      {
        what: `No Vite in ${root}.`,
        why: 'The program is built by the Vite that the project has installed.',
        fix: 'Install "vite" there, or name the right folder by --root.',
      },
      { cause },
    )
  }
}

async function readReport(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!isMissing) throw error
    return 'This program has no lifted functions, so nothing leaves the machine.'
  }
}
