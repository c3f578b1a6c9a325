// Configuration files of bundlers import plugins by default.
// oxlint-disable-next-line import/no-default-export
export { turbolift, turbolift as default } from './plugin.ts'
export type { TurboliftPlugin } from './plugin.ts'
export type { TurboliftOptions } from './options.ts'
export { LiftCompileError } from './diagnostics.ts'
export type { Diagnostic, DiagnosticCode } from './diagnostics.ts'
