import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Plugin, ViteDevServer } from 'vite'

const PAGE = '/__turbolift'

/** Shows the runs of this machine at `/__turbolift/` of Vite's dev server, those of programs that it runs itself included. */
export function createWatchPagePlugin(): Plugin {
  return {
    name: 'turbolift:watch',
    apply: (_, { command }) => command === 'serve' && process.env['VITEST'] === undefined,
    configureServer(server) {
      // Programs that run inside of this server, or are started by it.
      process.env['TURBOLIFT_WATCH'] ??= '1'
      const answer = lazyHandler()
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? '').split('?')[0] ?? ''
        if (path === PAGE) return redirect(response)
        if (!path.startsWith(`${PAGE}/`)) return next()
        void answer(request, response, next)
      })
      announce(server)
    },
  }
}

type Next = (error?: unknown) => void

/** The page's server is only loaded when somebody looks. */
function lazyHandler() {
  let loading: ReturnType<typeof loadHandler> | undefined
  return async (request: IncomingMessage, response: ServerResponse, next: Next): Promise<void> => {
    try {
      loading ??= loadHandler()
      const handle = await loading
      await handle(request, response)
    } catch (error) {
      next(error)
    }
  }
}

async function loadHandler() {
  const { createWatchHandler, openWatchFolder } = await import('turbolift/watch')
  return createWatchHandler({ folder: openWatchFolder(process.env['TURBOLIFT_WATCH_FOLDER']), base: PAGE })
}

function redirect(response: ServerResponse): void {
  // Relative, since the server may have a base.
  response.writeHead(302, { location: `.${PAGE}/` }).end()
}

/** One more line below the addresses that Vite prints. */
function announce(server: ViteDevServer): void {
  const printUrls = server.printUrls.bind(server)
  server.printUrls = () => {
    printUrls()
    const [address] = server.resolvedUrls?.local ?? []
    if (address !== undefined) server.config.logger.info(`  ➜  turbolift: ${new URL(`.${PAGE}/`, address).href}`)
  }
}
