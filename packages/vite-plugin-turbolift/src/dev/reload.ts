import type { ViteDevServer } from 'vite'

import { WORKER_ENVIRONMENT } from './environment.ts'

/** Tells workers of edits also where the user has switched off hot updates, by which Vite would. */
export function reloadWithoutHmr({ config, environments, watcher }: ViteDevServer): void {
  const environment = environments[WORKER_ENVIRONMENT]
  if (config.server.hmr !== false || environment === undefined) return
  const reload = (file: string): void => {
    environment.moduleGraph.onFileChange(file)
    environment.hot.send({ type: 'full-reload', triggeredBy: file })
  }
  watcher.on('change', reload).on('unlink', reload)
}
