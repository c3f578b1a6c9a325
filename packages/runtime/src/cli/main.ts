#!/usr/bin/env node
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'

import { clearInterval, setInterval } from '@turbolift/worker-base/clock'

import { LiftError } from '../errors.ts'
import { toVisibleText } from '../visible-text.ts'
import type { Command, CommandOutput } from './command.ts'
import { wrongUsage } from './command.ts'

/** Loaded one at a time: none waits for what another needs. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  dev: async () => (await import('./dev.ts')).dev,
  build: async () => (await import('./build.ts')).build,
  doctor: async () => (await import('./doctor.ts')).doctor,
  watch: async () => (await import('./watch.ts')).watch,
  ls: async () => (await import('./ls.ts')).ls,
  logs: async () => (await import('./logs.ts')).logs,
  down: async () => (await import('./down.ts')).down,
  prune: async () => (await import('./prune.ts')).prune,
  plan: async () => (await import('./plan.ts')).plan,
  role: async () => (await import('./role.ts')).role,
  registry: async () => (await import('./registry.ts')).registry,
}

const output: CommandOutput = {
  print: (line) => process.stdout.write(`${toVisibleText(line)}\n`),
  note: (line) => process.stderr.write(`${toVisibleText(line)}\n`),
}

// Connections to a cluster do not keep a program alive, as that would hold back those that lift functions.
const running = setInterval(() => undefined, 2 ** 30)
process.exitCode = await main(process.argv.slice(2))
clearInterval(running)

async function main([name = '--help', ...args]: readonly string[]): Promise<number> {
  try {
    if (name === '--help' || name === '-h' || name === 'help') return await printOverview()
    if (name === '--version') return printVersion()
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (load === undefined) throw wrongUsage(`There is no command "${name}".`, '"turbolift --help" lists all commands.')
    return await runCommand(name, await load(), args)
  } catch (error) {
    if (error instanceof Error && error.name === 'LiftCompileError') {
      // Its stack is that of the compiler; the message has the place in the program.
      output.note(error.message)
      return 1
    }
    if (!(error instanceof LiftError)) throw error
    output.note(`${error.code}: ${error.message}`)
    return error.code === 'COMMAND_USAGE' ? 2 : 1
  }
}

async function runCommand(name: string, command: Command, args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(name, command, args)
  if (values['help'] === true) return printHelp(name, command)
  const stop = new AbortController()
  if (command.isProgram !== true) {
    process.once('SIGINT', () => stop.abort(wrongUsage('Interrupted.', 'Run the command again.')))
  }
  return command.run({ values, positionals, output, signal: stop.signal })
}

function parse(
  name: string,
  { options }: Command,
  args: readonly string[],
): { values: Readonly<Record<string, string | boolean | undefined>>; positionals: readonly string[] } {
  try {
    const help = { help: { type: 'boolean', short: 'h' } } as const
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, ...help },
      allowPositionals: true,
      allowNegative: true,
    })
    const values = Object.entries(parsed.values).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.at(-1) : value,
    ])
    return { values: Object.fromEntries(values), positionals: parsed.positionals }
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('. ', 1)[0] : String(error)
    throw wrongUsage(`${reason}.`, `"turbolift ${name} --help" shows what it takes.`)
  }
}

async function printOverview(): Promise<number> {
  output.print('Usage: turbolift <command> [options]\n')
  const loaded = await Promise.all(Object.entries(commands).map(async ([name, load]) => ({ name, ...(await load()) })))
  for (const { name, about } of loaded) output.print(`  ${name.padEnd(10)}${about}`)
  output.print('\n"turbolift <command> --help" shows the options of a command.')
  return 0
}

function printVersion(): number {
  const { version } = createRequire(import.meta.url)('../../package.json')
  output.print(version)
  return 0
}

function printHelp(name: string, { about, usage, options, explain }: Command): number {
  output.print(`${about}\n\nUsage: turbolift ${name} ${usage}\n`)
  for (const [key, { short, type }] of Object.entries(options)) {
    const flag = `${short === undefined ? '    ' : `-${short}, `}--${key}${type === 'string' ? ' <text>' : ''}`
    output.print(`  ${flag.padEnd(30)}${explain[key] ?? ''}`)
  }
  return 0
}
