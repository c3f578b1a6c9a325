import { performance } from '@turbolift/worker-base/clock'

import type { RunConfig } from '../config.ts'
import { events } from './events.ts'
import type { RunStarted } from './events.ts'
import { createProgress, isLiveTerminal } from './progress.ts'
import { print } from './print.ts'
import { publishRun } from './publish.ts'
import { openWatchFolder } from './watch-folder.ts'

/**
 * Starts what the configuration asks for: the progress of maps on stderr, the file for `turbolift watch`.
 * Disposing ends both; to do so twice is harmless.
 */
export function startWatching(run: RunStarted, config: RunConfig): Disposable {
  const startedMs = performance.now()
  const started = [
    ...(config.watch ? publish(run, config.watchFolder) : []),
    ...(isProgressShown(config.progress) ? [showProgress()] : []),
  ]
  let isOver = false
  events['run:started'].emit({ ...run })
  return {
    [Symbol.dispose]() {
      if (isOver) return
      isOver = true
      events['run:ended'].emit({ runId: run.runId, durationMs: performance.now() - startedMs })
      for (const part of started) part[Symbol.dispose]()
    },
  }
}

/** A run that cannot be watched goes on all the same; a warning tells. */
function publish(run: RunStarted, watchFolder: string | undefined): readonly Disposable[] {
  try {
    return [publishRun(run, openWatchFolder(watchFolder))]
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error))
    return []
  }
}

/** What a test prints is its own business, unless somebody asks. */
function isProgressShown(asked: boolean | undefined): boolean {
  return asked ?? (process.env['VITEST'] === undefined && process.env['NODE_TEST_CONTEXT'] === undefined)
}

function showProgress(): Disposable {
  const { stdout, stderr } = process
  if (!isLiveTerminal(stderr, process.env)) {
    return createProgress({ stream: { write: (text) => print(stderr, text) }, others: [], isLive: false })
  }
  return createProgress({ stream: stderr, others: stdout.isTTY ? [stdout] : [], isLive: true })
}
