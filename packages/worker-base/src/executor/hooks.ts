import type { WorkerHook } from '../context.ts'

/** The hooks of one executor. */
export interface Hooks {
  addStart(hook: WorkerHook): void
  addStop(hook: WorkerHook): void
  readonly hasPendingStart: boolean
  /** Runs the start hooks that did not succeed yet, in order. One that fails is tried again the next time. */
  runStart(): Promise<void>
  /** Runs all stop hooks, the latest first. @throws AggregateError of those that failed */
  runStop(): Promise<void>
}

export function createHooks(): Hooks {
  const pending: WorkerHook[] = []
  const stop: WorkerHook[] = []
  return {
    addStart: (hook) => void pending.push(hook),
    addStop: (hook) => void stop.unshift(hook),
    get hasPendingStart() {
      return pending.length > 0
    },
    async runStart() {
      for (let hook = pending[0]; hook !== undefined; hook = pending[0]) {
        await hook()
        pending.shift()
      }
    },
    async runStop() {
      const failures: unknown[] = []
      for (const hook of stop.splice(0)) {
        try {
          await hook()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0)
        throw new AggregateError(failures, `onWorkerStop hooks failed: ${failures.map(String).join('; ')}`)
    },
  }
}
