import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, parse, relative, resolve } from 'node:path'

/** The generated program of one check. */
export interface CheckedProgram {
  readonly root: string
  /** The user's configuration that it extends. */
  readonly base: string | undefined
  /** Folder that holds copies of sources under their absolute paths. */
  readonly copies: string
  readonly files: readonly string[]
  /** Whether the compiler keeps what it knows for the next check. */
  readonly keepsState: boolean
}

/** The user's settings, with our files in place of theirs: their own errors are not what is looked for. */
export function toTsconfig({ root, base, copies, files, keepsState }: CheckedProgram): object {
  const disk = parse(root).root
  return {
    ...(base === undefined ? {} : { extends: base }),
    compilerOptions: {
      ...(base === undefined ? defaults : {}),
      ...overrides,
      rootDir: disk,
      // A relative import of a copy is looked for where the original stands.
      rootDirs: [disk, ...(base === undefined ? [] : inheritedRootDirs(base))].flatMap((folder) => [
        toCopyPath(copies, folder),
        folder,
      ]),
      incremental: keepsState,
      ...(keepsState ? { tsBuildInfoFile: join(dirname(copies), 'checked.tsbuildinfo') } : {}),
    },
    files,
    include: [`${root}/**/*.d.ts`],
    exclude: [`${root}/**/node_modules`, `${root}/**/dist`],
    references: [],
  }
}

const defaults = { target: 'es2023', module: 'esnext', moduleResolution: 'bundler', strict: true, jsx: 'preserve' }
const overrides = {
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

/** The nearest `tsconfig.json`; of one that only lists references, the first that is for the program itself. */
export function findTsconfig(root: string): string | undefined {
  const path = join(root, 'tsconfig.json')
  if (!existsSync(path)) return dirname(root) === root ? undefined : findTsconfig(dirname(root))
  const text = readFileSync(path, 'utf8')
  if (!/"files"\s*:\s*\[\s*\]/.test(text)) return path
  const references = [...text.matchAll(/"path"\s*:\s*"([^"]+)"/g)].map(([, reference]) =>
    toConfigPath(path, reference ?? ''),
  )
  return references.find((reference) => existsSync(reference)) ?? path
}

/** `rootDirs` of the user's configuration and of those it extends; ours would hide them. */
function inheritedRootDirs(path: string): readonly string[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  const own = /"rootDirs"\s*:\s*\[([^\]]*)\]/.exec(text)?.[1]
  if (own !== undefined) return quoted(own).map((folder) => resolve(dirname(path), folder))
  const bases = quoted(/"extends"\s*:\s*(\[[^\]]*\]|"[^"]*")/.exec(text)?.[1] ?? '')
  return bases.filter((base) => base.startsWith('.')).flatMap((base) => inheritedRootDirs(toConfigPath(path, base)))
}

function quoted(list: string): readonly string[] {
  return [...list.matchAll(/"([^"]*)"/g)].map(([, text]) => text ?? '')
}

function toConfigPath(from: string, reference: string): string {
  const path = resolve(dirname(from), reference)
  return path.endsWith('.json') ? path : existsSync(`${path}.json`) ? `${path}.json` : join(path, 'tsconfig.json')
}

/** Where the copy of a module stands: its absolute path, below the folder of copies. */
export function toCopyPath(copies: string, module: string): string {
  return join(copies, relative(parse(module).root, module))
}
