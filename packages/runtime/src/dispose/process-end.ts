/** What must not outlive the process. */
export interface Ending {
  /** Ends everything in good order. */
  dispose(): Promise<void>
  /** Ends what can be ended without waiting; the process is gone right after. */
  abandon(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Sees to it that nothing outlives the process, however it ends: by itself, by an exception, `process.exit()` or a
 * signal. The exit code stays the program's own, and a program with signal handlers of its own decides by itself.
 * Returns what stops the watching.
 */
export function watchProcess(ending: Ending): () => void {
  let isEnding = false
  const onBeforeExit = () => {
    stop()
    void disposeAwake(ending)
  }
  const onExit = () => ending.abandon()
  const onSignal = (signal: NodeJS.Signals) => {
    // Somebody else listens too: whether the process ends is theirs to decide, and `exit` comes in the end.
    if (process.listenerCount(signal) > 1) return
    if (isEnding) return endBy(signal)
    isEnding = true
    void disposeAwake(ending).finally(() => endBy(signal))
  }
  // The default again, and the signal once more: the process ends by it, as it would have without us.
  const endBy = (signal: NodeJS.Signals) => {
    ending.abandon()
    stop()
    process.kill(process.pid, signal)
  }
  const stop = () => {
    process.off('beforeExit', onBeforeExit).off('exit', onExit)
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
  process.once('beforeExit', onBeforeExit).once('exit', onExit)
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return stop
}

/** What disposal waits for does not keep the process alive by itself: connections to workers and clusters never do. */
async function disposeAwake(ending: Ending): Promise<void> {
  const awake = setInterval(() => undefined, 2 ** 30)
  try {
    await ending.dispose()
  } finally {
    clearInterval(awake)
  }
}
