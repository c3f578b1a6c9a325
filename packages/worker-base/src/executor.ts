// The program of an executor thread: loads the lifted functions and runs calls, one at a time.
import { parentPort, workerData } from 'node:worker_threads'

import { nextTick, performance } from './clock.ts'
import { currentCall, installContext, leaveCall, runInCall } from './executor/call-context.ts'
import type { CallContext } from './executor/call-context.ts'
import { loadFunctionTable } from './executor/functions.ts'
import type { FunctionTable } from './executor/functions.ts'
import { createHooks } from './executor/hooks.ts'
import { createOutputLines } from './executor/output.ts'
import type { OutputLines } from './executor/output.ts'
import { CallRunner } from './executor/runner.ts'
import { createFrameChannel } from './threads/channel.ts'
import { SharedStore } from './executor/shared-store.ts'
import type { FrameChannel } from './threads/channel.ts'
import type { ExecutorData, ExecutorNotice } from './threads/startup.ts'
import type { Frame } from './wire/frame.ts'
import { encodeError } from './wire/values.ts'

process.setSourceMapsEnabled(true)
await startExecutor(parseExecutorData(workerData))

async function startExecutor(data: ExecutorData): Promise<void> {
  const early: Frame[] = []
  let receive = (frame: Frame): void => void early.push(frame)
  const channel = createFrameChannel(data.channel, (frame) => receive(frame))
  const outputs = captureOutput(channel, data.executor)
  const hooks = createHooks()
  installContext(hooks, { isSequential: true })
  const functions = await loadTable(data)
  if (functions === undefined) return
  const afterCall = (context: CallContext): void => {
    for (const lines of outputs) if (lines.hasUnfinishedLine) runInCall(context, () => lines.flushLine())
    leaveCall()
  }
  const { claims, workerId } = data
  const runner = new CallRunner({ channel, claims, functions, hooks, workerId, shared: new SharedStore(), afterCall })
  receive = (frame) => runner.receive(frame)
  for (const frame of early) receive(frame)
  parentPort?.on('message', () => {
    void hooks
      .runStop()
      .catch(printError)
      .then(() => outputs.forEach((lines) => lines.flush()))
      .then(() => notify({ kind: 'stopped' }))
  })
  notify({ kind: 'ready', ids: functions.ids })
}

async function loadTable({ functions }: ExecutorData): Promise<FunctionTable | undefined> {
  try {
    return await loadFunctionTable(functions)
  } catch (error) {
    notify({ kind: 'failed', error: encodeError(error) })
    return undefined
  }
}

/** What user code prints travels as frames, labelled with its call. */
function captureOutput(channel: FrameChannel, executor: number): readonly OutputLines[] {
  const outputs = (['stdout', 'stderr'] as const).map((stream) => {
    const lines = createOutputLines({
      now: () => performance.now(),
      emit: (text, dropped) =>
        channel.send({ kind: 'log', id: currentCall()?.id ?? 0, log: { stream, executor, text, dropped } }),
    })
    process[stream].write = (chunk: Uint8Array | string, ...rest: readonly unknown[]): boolean => {
      lines.write(chunk)
      const done = rest.find((argument) => typeof argument === 'function')
      if (done !== undefined) nextTick(() => Reflect.apply(done, undefined, []))
      return true
    }
    return lines
  })
  process.on('exit', () => outputs.forEach((lines) => lines.flush()))
  return outputs
}

/** Both threads are of the same build, so what one sent is what the other expects. */
function parseExecutorData(data: unknown): ExecutorData {
  return data as ExecutorData
}

function printError(error: unknown): void {
  console.error(error)
}

function notify(notice: ExecutorNotice): void {
  parentPort?.postMessage(notice)
}
