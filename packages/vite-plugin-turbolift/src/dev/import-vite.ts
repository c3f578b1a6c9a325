import { importFromProject } from '../bundle/host.ts'

type Vite = typeof import('vite')
type ViteModuleRunner = typeof import('vite/module-runner')

/** The Vite that the project itself uses, of which there may be another one beside this package. */
export async function importVite(root: string): Promise<Vite> {
  const module = await importFromProject('vite', root)
  if (!hasName(module, 'createServer')) throw unusable('createServer')
  return module as Vite
}

/** That Vite's part for processes that load modules from its server. */
export async function importModuleRunner(root: string): Promise<ViteModuleRunner> {
  const module = await importFromProject('vite/module-runner', root)
  if (!hasName(module, 'ModuleRunner')) throw unusable('ModuleRunner')
  return module as ViteModuleRunner
}

function hasName(module: unknown, name: string): boolean {
  return typeof module === 'object' && module !== null && name in module
}

function unusable(name: string): Error {
  return new Error(`The Vite of this project has no "${name}"; version 7 or 8 is needed.`)
}
