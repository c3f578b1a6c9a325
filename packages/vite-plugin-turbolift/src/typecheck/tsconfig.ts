import { dirname, join, parse, relative } from 'node:path'

import { toCompilerOptions } from './compiler-options.ts'
import type { Project } from './projects.ts'

/** The generated program of one check. */
export interface CheckedProgram {
  readonly root: string
  /** Whose settings it has. */
  readonly project: Project | undefined
  /** Folder that holds copies of sources under their absolute paths. */
  readonly copies: string
  readonly files: readonly string[]
  /** Whether the compiler keeps what it knows for the next check. */
  readonly keepsState: boolean
  readonly adjustments: Adjustments
}

/** What is left out of the user's settings, since the compiler would not begin with it. */
export interface Adjustments {
  readonly options: readonly string[]
  readonly types: readonly string[]
  readonly files: readonly string[]
}

export const NO_ADJUSTMENTS: Adjustments = { options: [], types: [], files: [] }

/** The user's settings, with our files in place of theirs: their own errors are not what is looked for. */
export function toTsconfig({ root, project, copies, files, keepsState, adjustments }: CheckedProgram): object {
  const disk = parse(root).root
  const { types, rootDirs, ...options } = Object.fromEntries(
    Object.entries(toCompilerOptions(project)).filter(([name]) => !adjustments.options.includes(name)),
  )
  const inherited = Array.isArray(rootDirs) ? rootDirs.map(String) : []
  return {
    compilerOptions: {
      ...options,
      ...(Array.isArray(types) ? { types: types.filter((name) => !adjustments.types.includes(String(name))) } : {}),
      rootDir: disk,
      // A relative import of a copy is looked for where the original stands.
      rootDirs: [disk, ...inherited].flatMap((folder) => [toCopyPath(copies, folder), folder]),
      incremental: keepsState,
      ...(keepsState ? { tsBuildInfoFile: join(dirname(copies), 'checked.tsbuildinfo') } : {}),
    },
    files: files.filter((file) => !adjustments.files.includes(file)),
    include: [`${root}/**/*.d.ts`],
    exclude: [`${root}/**/node_modules`, `${root}/**/dist`, ...adjustments.files],
  }
}

/** Where the copy of a module stands: its absolute path, below the folder of copies. */
export function toCopyPath(copies: string, module: string): string {
  return join(copies, relative(parse(module).root, module))
}
