import type { Log } from '@turbolift/worker-base/wire'

import { events } from './events.ts'

/** Tells the listeners what a worker printed, line by line. */
export function reportLog(workerId: string, { stream, text }: Log): void {
  const channel = events['log:line']
  if (!channel.isHeard) return
  for (const line of text.split('\n')) channel.emit({ workerId, stream, line })
}
