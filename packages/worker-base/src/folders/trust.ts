import { lstatSync, readlinkSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, parse, resolve, sep } from 'node:path'

/** What nobody else may be able to do with a folder. */
export type Forbidden = 'write' | 'read or write'

const STICKY = 0o1000
const MOST_LINKS = 40

/**
 * Who else could get at a folder, or put another one in its place: completes "…, but …". `undefined`: nobody whom this
 * program does not trust anyway: root, its own user, those who can change the program itself, and those who have the
 * temporary folder that it was given. Every other part of the path is looked at, and no link of a stranger is followed. What is not there yet ends the look. On Windows folders
 * have no mode, and the temporary folder belongs to the user.
 */
export function findStranger(path: string, forbidden: Forbidden): string | undefined {
  const uid = process.geteuid?.()
  if (uid === undefined) return undefined
  const program = wayTo(process.argv[1] ?? '/')
  const owners = new Set([0, uid, ...program.values()])
  const trusted: Trusted = { owners, passed: new Set([...program.keys(), ...wayTo(tmpdir()).keys()]) }
  const { root } = parse(resolve(path))
  return walk(
    { at: root, rest: resolve(path).slice(root.length).split(sep).filter(Boolean), links: 0 },
    trusted,
    forbidden,
  )
}

/** Whether the folder itself is as `mkdtemp` makes one: a directory and no link, of this user, for nobody else. */
export function isPrivate(stats: Stats): boolean {
  const uid = process.geteuid?.()
  if (uid === undefined) return stats.isDirectory()
  return stats.isDirectory() && stats.uid === uid && (stats.mode & 0o777) === 0o700
}

interface Trusted {
  readonly owners: ReadonlySet<number>
  /** Folders that the program itself and its temporary folder are found by. */
  readonly passed: ReadonlySet<string>
}

interface Way {
  readonly at: string
  readonly rest: readonly string[]
  readonly links: number
}

function walk({ at, rest, links }: Way, trusted: Trusted, forbidden: Forbidden): string | undefined {
  const stats = lstatSync(at, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  const isPassed = trusted.passed.has(at)
  if (!trusted.owners.has(stats.uid) && !isPassed) return `user ${stats.uid} owns "${at}"`
  if (stats.isSymbolicLink()) {
    if (links === MOST_LINKS) return `"${at}" is one link too many`
    return walk(follow(at, { rest, links }), trusted, forbidden)
  }
  // What wants a folder there fails by itself.
  if (!stats.isDirectory()) return undefined
  const [next, ...others] = rest
  if (next === undefined) return whoReaches(at, stats, forbidden)
  const isOpen = mayOthersWrite(stats) && (stats.mode & STICKY) === 0 && !isPassed
  if (isOpen) return `other users can write to "${at}" (mode ${toMode(stats)})`
  return walk({ at: join(at, next), rest: others, links }, trusted, forbidden)
}

/** The target's parts are looked at as well, from the top. */
function follow(link: string, { rest, links }: Omit<Way, 'at'>): Way {
  const target = resolve(dirname(link), readlinkSync(link))
  const { root } = parse(target)
  return { at: root, rest: [...target.slice(root.length).split(sep).filter(Boolean), ...rest], links: links + 1 }
}

function whoReaches(path: string, stats: Stats, forbidden: Forbidden): string | undefined {
  if (forbidden === 'write')
    return mayOthersWrite(stats) ? `other users can write to "${path}" (mode ${toMode(stats)})` : undefined
  if (stats.uid !== process.geteuid?.()) return `user ${stats.uid} owns "${path}"`
  return (stats.mode & 0o077) === 0 ? undefined : `other users may look into "${path}" (mode ${toMode(stats)})`
}

/** A group of the same number as its user is that user's own, by the custom of most systems, where folders get 0775. */
function mayOthersWrite({ mode, uid, gid }: Stats): boolean {
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && uid !== gid)
}

function toMode({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}

/** The parts of a path with their owners. */
function wayTo(path: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (let at = resolve(path); ; at = dirname(at)) {
    const stats = lstatSync(at, { throwIfNoEntry: false })
    if (stats !== undefined) found.set(at, stats.uid)
    if (at === dirname(at)) return found
  }
}
