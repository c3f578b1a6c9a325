// Starts and stops the cluster's processes, which outlive the program that starts them.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, openSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

import { folder, say } from './settings.mjs'

/** Starts a process unless it runs. Its output goes to `log/<name>.log`. */
export function start(name, [command, ...commandArguments]) {
  if (isRunning(pidOf(name))) return
  const log = openSync(`${folder}/log/${name}.log`, 'a')
  const options = { cwd: folder, detached: true, stdio: ['ignore', log, log] }
  const child = spawn(command, commandArguments, options)
  writeFileSync(`${folder}/pids/${name}`, String(child.pid))
  child.unref()
}

/** Asks a process to end, makes it end after 5 s, and waits until it has: its ports are free then. */
export async function stop(name) {
  const pid = pidOf(name)
  rmSync(`${folder}/pids/${name}`, { force: true })
  if (!isRunning(pid)) return
  process.kill(pid, 'SIGTERM')
  for (let tries = 0; tries < 50 && isRunning(pid); tries += 1) await delay(100)
  if (isRunning(pid)) process.kill(pid, 'SIGKILL')
  while (isRunning(pid)) await delay(50)
}

/** Repeats a command until it succeeds. */
export async function untilOk(what, limitSeconds, [command, ...commandArguments]) {
  const deadline = performance.now() + limitSeconds * 1000
  for (;;) {
    const result = spawnSync(command, commandArguments, { cwd: folder, encoding: 'utf8' })
    if (result.status === 0) return
    if (performance.now() > deadline) {
      say(result.stderr)
      throw new Error(`${what} did not come up within ${limitSeconds} s; see ${folder}/log.`)
    }
    await delay(200)
  }
}

/** Whether `start` has started it, and it has not ended. */
export function isStarted(name) {
  return isRunning(pidOf(name))
}

function pidOf(name) {
  const path = `${folder}/pids/${name}`
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined
}

// All of them run in the cluster's folder: another program may have got the number of one that ended. One that has
// ended but was not waited for has no folder any more.
function isRunning(pid) {
  try {
    return pid !== undefined && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder)
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return false
    throw error
  }
}
