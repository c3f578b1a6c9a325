import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Plugin, ViteDevServer } from 'vite'

const PAGE = '__turbolift'
/** The same when Vite starts anew after an edit of its configuration, so that an open page goes on. */
const SECRET = randomBytes(16).toString('base64url')

/**
 * Shows the runs of this machine at `__turbolift/<secret>/` of Vite's dev server, those of programs that it runs itself
 * included. With `--host` others reach the server too: who does not know the secret sees nothing.
 */
export function createWatchPagePlugin(): Plugin {
  return {
    name: 'turbolift:watch',
    apply: (_, { command }) => command === 'serve' && process.env['VITEST'] === undefined,
    configureServer(server) {
      // Programs that run inside of this server, or are started by it.
      process.env['TURBOLIFT_WATCH'] ??= '1'
      // Paths come with the server's base.
      const page = server.config.base + PAGE
      const answer = lazyHandler(`${page}/${SECRET}`)
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? '').split('?')[0] ?? ''
        if (path === page || path === `${page}/`) return sayWhere(response)
        if (!path.startsWith(`${page}/`)) return next()
        void answer(request, response, next)
      })
      announce(server)
    },
  }
}

type Next = (error?: unknown) => void

/** The page's server is only loaded when somebody looks. */
function lazyHandler(base: string) {
  let loading: ReturnType<typeof loadHandler> | undefined
  return async (request: IncomingMessage, response: ServerResponse, next: Next): Promise<void> => {
    try {
      loading ??= loadHandler(base)
      const handle = await loading
      await handle(request, response)
    } catch (error) {
      // What was wrong with the folder may be mended by the next look.
      loading = undefined
      next(error)
    }
  }
}

async function loadHandler(base: string) {
  const { createWatchHandler, openWatchFolder } = await import('turbolift/watch')
  return createWatchHandler({
    folder: openWatchFolder(process.env['TURBOLIFT_WATCH_FOLDER']),
    base,
    hasHostCheck: true,
  })
}

function sayWhere(response: ServerResponse): void {
  const type = { 'content-type': 'text/plain; charset=utf-8' }
  response.writeHead(404, type).end('The address of this page has a secret: Vite prints it in the terminal.')
}

/** One more line below the addresses that Vite prints. */
function announce(server: ViteDevServer): void {
  const printUrls = server.printUrls.bind(server)
  server.printUrls = () => {
    printUrls()
    const [address] = server.resolvedUrls?.local ?? []
    if (address !== undefined)
      server.config.logger.info(`  ➜  turbolift: ${new URL(`${PAGE}/${SECRET}/`, address).href}`)
  }
}
