import { MAX_VALUE_BYTES, ValueTooLargeError, UnsendableValueError } from './unsendable.ts'

/**
 * The bytes of a blob.
 * @throws ValueTooLargeError without reading it
 */
export async function readBlob(blob: Blob): Promise<Uint8Array> {
  if (blob.size > MAX_VALUE_BYTES) throw new ValueTooLargeError(blob.size)
  return new Uint8Array(await blob.arrayBuffer())
}

/**
 * The bytes of a stream, read to its end. Whatever ends the reading early also cancels the stream.
 * @throws ValueTooLargeError as soon as there are more than can be sent; UnsendableValueError where it gives anything
 *   but bytes; the signal's reason; what the stream itself failed with
 */
export async function readByteStream(
  stream: ReadableStream<unknown>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const reader = stream.getReader()
  const stop = (): void => void reader.cancel(signal?.reason).catch(ignoreCancelled)
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted === true) stop()
  try {
    return await readAll(reader, signal)
  } catch (error) {
    await reader.cancel(error).catch(ignoreCancelled)
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<unknown>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (!(next.value instanceof Uint8Array)) {
      throw new UnsendableValueError('A ReadableStream', 'one of other values than bytes (Uint8Array)')
    }
    bytes += next.value.byteLength
    if (bytes > MAX_VALUE_BYTES) throw new ValueTooLargeError(bytes)
    chunks.push(next.value)
  }
  signal?.throwIfAborted()
  return joinChunks(chunks, bytes)
}

function joinChunks(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.byteLength
  }
  return joined
}

/** A stream that fails while it is cancelled: why it is cancelled is the error that is told. */
function ignoreCancelled(): undefined {
  return undefined
}
