/** `shared()` inside of a worker: lifted functions call each other directly, so nothing is sent. */
export function shared<T extends object>(value: T): T {
  return value
}
