// The program of an executor thread: loads the lifted functions and runs calls, one at a time.
import { readlinkSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

import { performance } from './clock.ts'
import { currentCall, installContext, leaveCall, runInCall } from './executor/call-context.ts'
import type { CallContext } from './executor/call-context.ts'
import { loadFunctionTable } from './executor/functions.ts'
import type { FunctionTable } from './executor/functions.ts'
import { createHooks } from './executor/hooks.ts'
import { createOutputLines } from './executor/output.ts'
import type { OutputLines } from './executor/output.ts'
import { CallRunner } from './executor/runner.ts'
import type { ThreadPlace } from './threads/child-processes.ts'
import { createFrameChannel } from './threads/channel.ts'
import { SharedStore } from './executor/shared-store.ts'
import type { FrameChannel } from './threads/channel.ts'
import type { ExecutorData, ExecutorNotice } from './threads/startup.ts'
import type { Frame } from './wire/frame.ts'
import { encodeError } from './wire/values.ts'

process.setSourceMapsEnabled(true)
const startData = parseExecutorData(workerData)
process.argv = [...startData.argv]
await startExecutor(startData)

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
    // A call that is given up may go on when the process ends that it waited for: its answer must not come after that.
    if (Atomics.load(data.ending, 0) === 1) Atomics.wait(data.ending, 0, 1)
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
  notify({ kind: 'ready', ids: functions.ids, place: readThreadPlace() })
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
    // Below the stream, which stays Node's own: encodings, callbacks, `end` and errors are as everywhere.
    // oxlint-disable-next-line no-underscore-dangle -- what Node calls it
    process[stream]._writev = (chunks: readonly OutputChunk[], done: () => void): void => {
      for (const { chunk, encoding } of chunks) lines.write(toPrinted(chunk, encoding))
      void afterDrain(channel, done)
    }
    return lines
  })
  process.on('exit', () => outputs.forEach((lines) => lines.flush()))
  return outputs
}

/** At once, unless the channel is full: then `write` says so, and `drain` comes when it is not any more. */
async function afterDrain(channel: FrameChannel, done: () => void): Promise<void> {
  if (channel.isFull) await channel.whenDrained()
  done()
}

interface OutputChunk {
  readonly chunk: Uint8Array | string
  readonly encoding: BufferEncoding | 'buffer'
}

function toPrinted(chunk: Uint8Array | string, encoding: OutputChunk['encoding']): Uint8Array | string {
  const isText = typeof chunk !== 'string' || encoding === 'buffer' || /^utf-?8$/i.test(encoding)
  return isText ? chunk : Buffer.from(chunk, encoding)
}

/** Both threads are of the same build, so what one sent is what the other expects. */
function parseExecutorData(data: unknown): ExecutorData {
  return data as ExecutorData
}

/** Linux tells it. */
function readThreadPlace(): ThreadPlace | undefined {
  try {
    return readlinkSync('/proc/thread-self') as ThreadPlace
  } catch {
    return undefined
  }
}

function printError(error: unknown): void {
  console.error(error)
}

function notify(notice: ExecutorNotice): void {
  parentPort?.postMessage(notice)
}
