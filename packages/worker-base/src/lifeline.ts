import { Socket } from 'node:net'
import type { Readable } from 'node:stream'

import type { Lifeline } from './settings.ts'

/** The file descriptor of a lifeline of its own. */
const DESCRIPTOR = 3

/** The pipe that the system closes when the program dies, however it dies. */
export function openLifeline(lifeline: Lifeline | undefined): Readable {
  return lifeline === 'own' ? new Socket({ fd: DESCRIPTOR, readable: true, writable: false }) : process.stdin
}

/** Calls back once, when the program is gone. */
export function onProgramGone(lifeline: Readable, onGone: () => void): void {
  let isGone = false
  const notice = (): void => {
    if (isGone) return
    isGone = true
    onGone()
  }
  lifeline.on('end', notice).on('close', notice).on('error', notice).resume()
}
