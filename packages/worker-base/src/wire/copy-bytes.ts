/** A copy in memory of its own. A new ArrayBuffer would be filled with zeros first, which takes as long as the copy. */
export function copyBytes(bytes: Uint8Array): Buffer<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength)
  copy.set(bytes)
  return copy
}
