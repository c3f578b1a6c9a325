import { Fifo } from './fifo.ts'
import type { Task, TaskOwner } from './task.ts'

/** The calls that no worker has, in the program: what is settled leaves at once, so it holds no place. */
export class WaitingCalls implements TaskOwner {
  readonly #queue: Fifo<Task> = new Fifo()
  /** Calls of broken connections, until it is known what became of the worker, and calls between two tries. */
  readonly #stranded: Set<Task> = new Set()

  /** How many wait for a worker. */
  get size(): number {
    return this.#queue.size
  }

  push(task: Task): void {
    this.#stranded.delete(task)
    task.isQueued = true
    this.#queue.push(task)
  }

  /** In front of the others, in this order. */
  putBack(tasks: readonly Task[]): void {
    for (const task of tasks) {
      this.#stranded.delete(task)
      task.isQueued = true
    }
    this.#queue.unshift(tasks)
  }

  peek(): Task | undefined {
    return this.#queue.peek()
  }

  shift(): Task | undefined {
    const task = this.#queue.shift()
    if (task !== undefined) task.isQueued = false
    return task
  }

  /** It waits for something else than a worker. */
  strand(task: Task): void {
    this.#stranded.add(task)
  }

  onSettled(task: Task): void {
    this.#stranded.delete(task)
    if (!task.isQueued) return
    task.isQueued = false
    this.#queue.delete(task)
  }

  /** Takes all of them out. */
  clear(): readonly Task[] {
    const queued = this.#queue.clear()
    for (const task of queued) task.isQueued = false
    const stranded = [...this.#stranded]
    this.#stranded.clear()
    return [...stranded, ...queued]
  }
}
