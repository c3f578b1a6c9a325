export { liftContext, onWorkerStart, onWorkerStop } from './context.ts'
export type { LiftContext, LiftLogger, WorkerHook } from './context.ts'
