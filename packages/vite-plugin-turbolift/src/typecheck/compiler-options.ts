import { dirname, resolve } from 'node:path'

import { createPathsMatcher } from 'get-tsconfig'

import type { Project } from './projects.ts'

type Options = Readonly<Record<string, unknown>>

/** Without any configuration. */
const DEFAULTS: Options = {
  target: 'es2023',
  module: 'esnext',
  moduleResolution: 'bundler',
  strict: true,
  jsx: 'preserve',
}

/** What a check needs, whatever the user wants to be written. */
const OVERRIDES: Options = {
  noEmit: true,
  composite: false,
  declaration: false,
  declarationMap: false,
  emitDeclarationOnly: false,
  isolatedDeclarations: false,
  noErrorTruncation: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
}

/**
 * The user's options for a program in another folder, with absolute paths; and so that each TypeScript from 5.9 on
 * takes them, since those that one has given up would end the check before it begins.
 */
export function toCompilerOptions(project: Project | undefined): Options {
  if (project === undefined) return { ...DEFAULTS, ...OVERRIDES }
  const { baseUrl: _, paths: __, ignoreDeprecations: ___, ...options } = project.config.compilerOptions ?? {}
  const from = dirname(project.path)
  return {
    ...options,
    ...absolute(options, from),
    ...toPaths(project),
    ...modern(options),
    ...OVERRIDES,
  }
}

function absolute(options: Options, from: string): Options {
  const lists = ['rootDirs', 'typeRoots'].map((name) => [name, options[name]] as const)
  return Object.fromEntries(
    lists.flatMap(([name, list]) =>
      Array.isArray(list) ? [[name, list.map((path) => resolve(from, String(path)))]] : [],
    ),
  )
}

/** `baseUrl`, which TypeScript 7 no longer has, is a path for all names. */
function toPaths({ path, config }: Project): Options {
  const { baseUrl, paths = {} } = config.compilerOptions ?? {}
  const find = createPathsMatcher({ path, config })
  if (find === null) return {}
  // Asked for a pattern itself, it says where that leads, whichever configuration has it.
  const own = Object.keys(paths).map((pattern) => [pattern, find(pattern)])
  const all = baseUrl === undefined ? {} : { '*': [resolve(dirname(path), baseUrl, '*')] }
  return { paths: { ...all, ...Object.fromEntries(own) } }
}

/** Settings of old that change how names are found, or hide the types that the assertions are written with. */
function modern({ moduleResolution, module, target, lib }: Options): Options {
  const isByNode = isOneOf(moduleResolution, /^node(16|next)$/) || isOneOf(module, /^node(16|18|20|next)$/)
  return {
    ...(isByNode || isOneOf(moduleResolution, /^bundler$/)
      ? {}
      : { moduleResolution: 'bundler', module: isOneOf(module, /^(es20|esnext|preserve)/) ? module : 'esnext' }),
    ...(isOneOf(target, /^(es20(1[89]|2)|esnext)/) ? {} : { target: 'es2023' }),
    ...(Array.isArray(lib) && !lib.some((one) => isOneOf(one, /^(es202[3-9]|esnext)$/))
      ? { lib: [...lib.map(String), 'es2023'] }
      : {}),
  }
}

function isOneOf(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value.toLowerCase())
}
