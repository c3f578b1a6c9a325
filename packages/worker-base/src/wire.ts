// The wire contract between program and worker. One connection carries many calls.
//
// A connection starts as HTTP/1.1 on the worker's port (or unix socket):
//   GET /connect, Connection: Upgrade, Upgrade: turbolift, Authorization: Bearer <token>, Turbolift-Build: <manifest hash>
// answered by 101, or by 401 (token), 409 (other build), 426 (other wire version). After 101 both sides speak frames:
//   u32 length of what follows, u8 type, u32 call id, payload.
// A value payload is devalue text with binary parts beside it, never base64 inside it:
//   u32 text length, text (UTF-8), then for each binary part u32 length, bytes.

/** Sent as the `Upgrade` version: `turbolift/1`. */
export const WIRE_VERSION = 1
