// What `turbolift` is inside of workers: the same names, but lifted functions are called directly, in the same worker.
export { forEach, map, starmap } from './call/map.ts'
export type { Source } from './call/map.ts'
export type { MapOptions, Outcome } from './call/map-options.ts'
export type { MapResults } from './call/map-results.ts'
export { lift } from './call/lift.ts'
export { shared } from './call/shared-in-worker.ts'
export type { CallOptions } from './call/lifted.ts'
export { configure } from './call/configure-in-worker.ts'
export type { ConfigInput, KubernetesInput, PoolInput, RunInput, Target } from './config.ts'
export {
  BuildError,
  CallTimeoutError,
  CancelledError,
  ConfigError,
  DeployError,
  LiftError,
  MapFailedError,
  OutOfMemoryError,
  TransferError,
  WorkerLostError,
} from './errors.ts'
export type { MapFailure } from './errors.ts'
export { FatalError, RetryableError } from './call/user-errors.ts'
export type { RetryableErrorOptions } from './call/user-errors.ts'
export { liftContext, onWorkerStart, onWorkerStop } from '@turbolift/worker-base/context'
export type { LiftContext, LiftLogger, WorkerHook } from '@turbolift/worker-base/context'
export { RemoteError } from '@turbolift/worker-base/wire'
export { on } from './watch/events.ts'
export type {
  CallDone,
  CallEvent,
  CallFailed,
  CallQueued,
  CallRetried,
  CallStarted,
  EventName,
  LogLine,
  MapCounts,
  MapEnded,
  MapEvent,
  RunEnded,
  RunEvents,
  RunStarted,
  Timed,
  WorkerEvent,
  WorkerGone,
} from './watch/events.ts'
