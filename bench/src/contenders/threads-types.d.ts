// The package has types, but its `exports` hide them. These are the parts that the benchmark uses.
declare module 'threads' {
  export interface Worker {
    postMessage(value: unknown): void
  }
  export const Worker: new (path: string) => Worker
  export function spawn<Thread>(worker: Worker): Promise<Thread>
  export function Pool<Thread>(
    spawnThread: () => Promise<Thread>,
    size: number,
  ): {
    queue<Result>(task: (thread: Thread) => Promise<Result>): PromiseLike<Result>
    terminate(): Promise<void>
  }
}
