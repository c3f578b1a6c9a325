import { clearInterval, setInterval } from '@turbolift/worker-base/clock'

/** What must not outlive the process. */
export interface Ending {
  /** Calls are pending: then the process is not about to end. */
  readonly isBusy: boolean
  /** Nobody else ends it when a signal ends the process: then the process has to live a little longer. */
  readonly needsSignals: boolean
  /** Ends everything in good order. */
  dispose(): Promise<void>
  /** Ends what can be ended without waiting; the process is gone right after. */
  abandon(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const KEY = Symbol.for('turbolift.process-end/2')

/**
 * Sees to it that nothing outlives the process, however it ends: by itself, by an exception, `process.exit()` or a
 * signal. The exit code stays the program's own, and a program with signal handlers of its own decides by itself.
 *
 * Signals are listened to only where it must be: a listener takes from the system the end of a program that computes
 * without a pause. Workers on this machine see by themselves that the program is gone.
 * Returns what stops the watching.
 */
export function watchProcess(ending: Ending): () => void {
  const watcher = sharedWatcher()
  watcher.add(ending)
  return () => watcher.remove(ending)
}

/** One for all runs of a process, of all copies of this package: each has to know its own listeners from the user's. */
class ProcessWatcher {
  readonly #endings: Set<Ending> = new Set()
  #isEnding = false
  #isListening = false

  add(ending: Ending): void {
    if (this.#endings.size === 0) process.on('beforeExit', this.#onBeforeExit).on('exit', this.#abandonAll)
    this.#endings.add(ending)
    this.#watchSignals()
  }

  remove(ending: Ending): void {
    this.#endings.delete(ending)
    if (this.#endings.size === 0) process.off('beforeExit', this.#onBeforeExit).off('exit', this.#abandonAll)
    this.#watchSignals()
  }

  #watchSignals(): void {
    const mustListen = [...this.#endings].some(({ needsSignals }) => needsSignals)
    if (mustListen === this.#isListening) return
    this.#isListening = mustListen
    for (const signal of SIGNALS) {
      // Before those of the user: one that is heard `once` is still counted then.
      if (mustListen) process.prependListener(signal, this.#onSignal)
      else process.off(signal, this.#onSignal)
    }
  }

  readonly #onBeforeExit = (): void => {
    // Another listener may have begun new work; the event comes again when that is done.
    const isBusy = [...this.#endings].some((ending) => ending.isBusy)
    if (!isBusy) void this.#disposeAll()
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // Somebody else listens too: whether the process ends is theirs to decide, and `exit` comes in the end.
    if (process.listenerCount(signal) > 1) return
    if (this.#isEnding) return this.#endBy(signal)
    this.#isEnding = true
    void this.#disposeAll().then(() => this.#endBy(signal))
  }

  // The default again, and the signal once more: the process ends by it, as it would have without us.
  #endBy(signal: NodeJS.Signals): void {
    this.#abandonAll()
    this.#watchSignals()
    process.kill(process.pid, signal)
  }

  async #disposeAll(): Promise<void> {
    // What is disposed may hold nothing that keeps a program alive, as connections to a cluster do not: this does, or the
    // process would end before it has seen that all is gone.
    const stayAlive = setInterval(() => undefined, 2 ** 30)
    const outcomes = await Promise.allSettled([...this.#endings].map((ending) => ending.dispose()))
    clearInterval(stayAlive)
    for (const outcome of outcomes) {
      // The program has its own end and exit code; what could not be tidied up is told beside it.
      if (outcome.status === 'rejected') process.emitWarning(toError(outcome.reason))
    }
  }

  readonly #abandonAll = (): void => {
    for (const ending of this.#endings) ending.abandon()
    this.#endings.clear()
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

// The one place that reads an untyped global; only this function writes it.
function sharedWatcher(): ProcessWatcher {
  const holder = globalThis as { [KEY]?: ProcessWatcher }
  holder[KEY] ??= new ProcessWatcher()
  return holder[KEY]
}
