import { randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { serve } from 'h3'

import { createWatchPage } from '../watch/page.ts'
import { openWatchFolder } from '../watch/watch-folder.ts'
import { textOption, wrongUsage } from './command.ts'
import type { Command, CommandCall } from './command.ts'

export const watch: Command = {
  about: 'Shows the runs of this machine on a page in the browser: workers, calls over time, errors.',
  usage: '[-- <command to run and watch>]',
  options: { port: { type: 'string' }, folder: { type: 'string' } },
  explain: {
    port: 'port on 127.0.0.1, default a free one',
    folder: 'where the runs write, default that of TURBOLIFT_WATCH_FOLDER',
  },
  async run(call) {
    const folder = openWatchFolder(textOption(call, 'folder') ?? process.env['TURBOLIFT_WATCH_FOLDER'])
    // Whoever knows the address may look, and nobody else.
    const base = `/${randomBytes(24).toString('base64url')}`
    const server = serve(createWatchPage({ folder, base }), {
      hostname: '127.0.0.1',
      port: toPort(textOption(call, 'port')),
      silent: true,
      gracefulShutdown: false,
    })
    await server.ready()
    call.output.print(new URL(`${base}/`, server.url).href)
    if (call.positionals.length > 0) await runWatched(call, folder)
    else call.output.note('Programs that run with TURBOLIFT_WATCH=1 appear there. Ctrl-C ends this command, not them.')
    if (!call.signal.aborted) await once(call.signal, 'abort')
    await server.close(true)
    return 0
  },
}

function toPort(text: string | undefined): number {
  const port = Number(text ?? 0)
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw wrongUsage(`"${text}" is no port.`, 'Name one from 1 to 65535, or leave it out.')
}

/** Runs a command whose runs are watched; what it printed and how it ended stay on the page until Ctrl-C. */
async function runWatched({ positionals, output }: CommandCall, folder: string): Promise<void> {
  const [command = '', ...args] = positionals
  const env = { ...process.env, TURBOLIFT_WATCH: '1', TURBOLIFT_WATCH_FOLDER: folder }
  const child = spawn(command, args, { stdio: 'inherit', env })
  const [code, signal] = await once(child, 'exit').catch((error: Error) => {
    throw wrongUsage(`"${command}" cannot be started: ${error.message}.`, 'Name a program after "--".')
  })
  output.note(`"${command}" ended with ${signal ?? `exit code ${code}`}. Ctrl-C ends this command too.`)
}
