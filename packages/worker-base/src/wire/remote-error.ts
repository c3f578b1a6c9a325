/**
 * An error of a class of the user's own (or of a library's), thrown on the other side.
 * Has the name, message, cause and own fields of the original.
 */
export class RemoteError extends Error {
  /** `REMOTE_ERROR`, or the original's own `code`. */
  code: unknown = 'REMOTE_ERROR'
  /** Name of the class that the original is an instance of. */
  readonly remoteClass: string
  constructor(message: string, remoteClass: string, options?: ErrorOptions) {
    super(message, options)
    Object.defineProperty(this, 'name', { value: 'RemoteError', configurable: true, writable: true })
    this.remoteClass = remoteClass
  }
}
