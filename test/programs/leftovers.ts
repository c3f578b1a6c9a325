import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What can be left of a run: processes that carry its mark in their environment, and files in its temporary folder. */
export async function findLeftovers(run: { readonly mark: string; readonly folder: string }): Promise<string[]> {
  const processes = (await findProcesses(run.mark)).map((id) => `process ${id}`)
  const files = (await readdir(run.folder, { recursive: true })).map((name) => `file ${join(run.folder, name)}`)
  return [...processes, ...files]
}

/** Ids of the processes whose environment holds `mark` (`NAME=value`). Reads /proc, so it is for Linux. */
export async function findProcesses(mark: string): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const marked = await Promise.all(ids.map(async (id) => (await readEnvironment(id)).includes(mark)))
  return ids.filter((_, index) => marked[index]).map(Number)
}

async function readEnvironment(id: string): Promise<string[]> {
  try {
    const [environment, status] = await Promise.all([
      readFile(`/proc/${id}/environ`, 'utf8'),
      readFile(`/proc/${id}/stat`, 'utf8'),
    ])
    // A zombie has ended; it only waits for its parent to ask for its exit code.
    return / [ZX] /.test(status.slice(status.lastIndexOf(')'))) ? [] : environment.split('\0')
  } catch (error) {
    if (isGoneOrForeign(error)) return []
    throw error
  }
}

/** The process ended between the listing and the read, or belongs to another user. */
function isGoneOrForeign(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM'
}
