// The wire contract between program and worker. One connection carries many calls.
//
// A connection starts as HTTP/1.1 on the worker's port (or unix socket):
//   GET /connect, Connection: Upgrade, Upgrade: turbolift/1, Authorization: Bearer <token>, Turbolift-Build: <manifest hash>
// answered by 101, or by 401 (token), 409 (other build), 426 (other wire version), 503 (draining).
// After 101 both sides speak frames (wire/frame.ts); the worker's first is `hello`, or `failed` when its code did not load.
//
// The program's side, in short:
//   const stream = await address.dial({ signal })
//   await performHandshake(stream, { token, build, signal })
//   const writer = createFrameWriter(stream)
//   const decoder = createFrameDecoder({ onFrame: (frame) => receive(parseMessage(frame)) })
//   stream.on('data', (chunk) => decoder.push(chunk)).resume()
//   writer.send({ kind: 'call', id, liftId, captures: 0, attempt: 1, timeoutMs: 0, value: await encodeArguments([], args) })
// `receive` gets `result`, `error`, `lost`, … of that id: see wire/messages.ts.
export { WIRE_VERSION } from './wire/version.ts'
export { HandshakeError, performHandshake } from './wire/handshake.ts'
export type { HandshakeOptions } from './wire/handshake.ts'
export { DEFAULT_MAX_FRAME_BYTES, FrameError } from './wire/frame.ts'
export type { Frame, FrameErrorCode } from './wire/frame.ts'
export { createFrameDecoder } from './wire/frame-decoder.ts'
export type { FrameDecoder, FrameDecoderOptions } from './wire/frame-decoder.ts'
export { createFrameWriter } from './wire/frame-writer.ts'
export type { FrameWriter } from './wire/frame-writer.ts'
export { parseLostValue } from './wire/json-fields.ts'
export { parseMessage } from './wire/message-codec.ts'
export type {
  CallMessage,
  HeartbeatMessage,
  Hello,
  Log,
  Lost,
  LostReason,
  Message,
  OutcomeMessage,
  ProgramMessage,
  ResultForm,
  StreamMessage,
  WorkerMessage,
} from './wire/messages.ts'
export {
  MalformedValueError,
  decodeError,
  decodeValue,
  encodeArguments,
  encodeError,
  encodeValue,
  shareValue,
  toPlainText,
} from './wire/values.ts'
export type { ArgumentOptions, StreamOptions, WireValue } from './wire/values.ts'
export { onSharedGone } from './wire/shared.ts'
export type { SharedValue } from './wire/shared.ts'
export { CallStreams } from './wire/call-streams.ts'
export type { StreamEvent, StreamPort } from './wire/stream-port.ts'
export { UnsendableValueError, ValueTooLargeError } from './wire/unsendable.ts'
export type { DecodeOptions } from './wire/built-ins.ts'
export { RemoteError } from './wire/remote-error.ts'
