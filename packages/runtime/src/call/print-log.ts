import type { Log } from '@turbolift/worker-base/wire'

import { print } from '../watch/print.ts'

/** Prints what user code in a worker printed, with the worker's name in front of each line. */
export function printLog(workerId: string, { stream, text, dropped }: Log, output: 'labelled' | 'raw' | 'none'): void {
  if (output === 'none') return
  const parts = [...(dropped === 0 ? [] : [`(${dropped} lines left out)`]), ...(text === '' ? [] : [text])]
  const lines = parts.join('\n')
  const label = `${toLabel(workerId)} `
  const printed = output === 'raw' ? lines : lines.replace(/^/gm, label)
  print(process[stream], `${printed}\n`)
}

/** `worker-3` → `[worker 3]` */
export function toLabel(workerId: string): string {
  return `[${workerId.replace(/-(\d+)$/, ' $1')}]`
}
