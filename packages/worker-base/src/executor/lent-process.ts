import { AsyncLocalStorage, createHook } from 'node:async_hooks'

import { nextTick } from '../clock.ts'

/** Timers, sockets, child processes: what keeps a process alive, unless it is told not to. */
interface Handle {
  unref(): unknown
}

/**
 * The program's own process, lent to code that runs elsewhere otherwise: what this opens does not keep the process alive,
 * as what a worker opens does not. So a program ends by itself when it has nothing more to do, and only then is told what
 * was opened that it is to be closed.
 */
export class LentProcess {
  readonly #isInside: AsyncLocalStorage<boolean> = new AsyncLocalStorage()
  /** Async ids of handles of such code: a connection that a server takes has no other sign of whose it is. */
  readonly #ids: Set<number> = new Set()
  readonly #hook: ReturnType<typeof createHook>

  constructor() {
    this.#hook = createHook({
      init: (id, type, triggerId, resource) => {
        if (type === 'PROMISE' || !(this.#isInside.getStore() === true || this.#ids.has(triggerId))) return
        if (!isHandle(resource)) return
        this.#ids.add(id)
        // It is being made, and may be told the contrary by who makes it.
        nextTick(() => resource.unref())
      },
      destroy: (id) => void this.#ids.delete(id),
    }).enable()
  }

  /** Runs such code, and all that follows from it. */
  run<Result>(code: () => Result): Result {
    return this.#isInside.run(true, code)
  }

  /** Runs code of the program itself, called by such code. */
  leave<Result>(code: () => Result): Result {
    return this.#isInside.run(false, code)
  }

  /** There is no more such code. */
  end(): void {
    this.#hook.disable()
  }
}

function isHandle(resource: object): resource is Handle {
  return 'unref' in resource && typeof resource.unref === 'function'
}
