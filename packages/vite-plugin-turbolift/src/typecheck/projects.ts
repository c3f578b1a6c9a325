import { existsSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'

import { createFilesMatcher, findTsconfig, parseTsconfig } from 'get-tsconfig'
import type { TsConfigJsonResolved } from 'get-tsconfig'

/** A configuration of TypeScript, with all that it extends. */
export interface Project {
  readonly path: string
  readonly config: TsConfigJsonResolved
}

/** How a module is checked: by which configuration, if there is one, and why not if it cannot be read. */
export interface ProjectChoice {
  readonly project: Project | undefined
  readonly problem: string | undefined
}

/** Finds for each module the project that it belongs to, as an editor does; each file is read once. */
export function createProjectFinder(own: string | undefined): (module: string) => ProjectChoice {
  const cache = new Map<string, string>()
  const choices = new Map<string, Project>()
  const read = (path: string): Project => {
    const known = choices.get(path) ?? { path, config: parseTsconfig(path, cache) }
    choices.set(path, known)
    return known
  }
  return (module) => {
    try {
      const path = own ?? findTsconfig(module, 'tsconfig.json', cache)
      const project = path === undefined ? undefined : read(path)
      const isChosen = project === undefined || own !== undefined
      return {
        project: isChosen ? project : (owner(project, { module, read }) ?? fallback(project, read)),
        problem: undefined,
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      return { project: undefined, problem: error.message }
    }
  }
}

interface Search {
  readonly module: string
  readonly read: (path: string) => Project
}

/** The project itself or the first of those that it refers to, and they in turn, which lists the module. */
function owner(project: Project, { module, read }: Search, seen = new Set<string>()): Project | undefined {
  if (seen.has(project.path)) return undefined
  seen.add(project.path)
  if (createFilesMatcher(project)(module) !== undefined) return project
  for (const path of references(project)) {
    const found = owner(read(path), { module, read }, seen)
    if (found !== undefined) return found
  }
  return undefined
}

/** Of a project that only refers to others the first of them, for a module that none of them lists. */
function fallback(project: Project, read: Search['read']): Project {
  const [first] = references(project)
  return project.config.files?.length === 0 && first !== undefined ? read(first) : project
}

function references({ path, config }: Project): readonly string[] {
  const paths = (config.references ?? []).map((reference) => resolve(dirname(path), reference.path))
  return paths.map((one) => (one.endsWith('.json') ? one : join(one, 'tsconfig.json'))).filter((one) => existsSync(one))
}

/**
 * Where the generated program of a project goes: below the root, or below the folder of a project elsewhere in the
 * workspace, so that packages and types are found from there as they are found from its own configuration.
 */
export function toFolder(root: string, project: Project | undefined): string {
  const own = project === undefined ? root : dirname(project.path)
  const isAbove = !relative(own, root).startsWith('..')
  const name = project === undefined ? 'tsconfig' : basename(project.path, '.json')
  const place = isAbove ? [root] : [own]
  const names = isAbove ? [name] : [name, relative(own, root).replaceAll(/[^\w-]+/g, '_')]
  return join(...place, 'node_modules/.turbolift/types', ...names)
}
