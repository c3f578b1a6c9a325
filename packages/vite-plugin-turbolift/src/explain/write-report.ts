import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

import type { LiftedModule } from '../registry.ts'
import type { WorkerGraph } from './graph.ts'
import { toMarkdown } from './markdown.ts'
import { createReport } from './report.ts'

export interface WrittenReport {
  readonly root: string
  readonly modules: readonly LiftedModule[]
  readonly graph: WorkerGraph
  readonly externals: ReadonlySet<string>
  /** Where the user wants it: relative to the root, `.json` or `.md`. */
  readonly path: string | undefined
}

/** Writes what the workers hold to `node_modules/.turbolift/report.json` and `.md`, and where the user wants it. */
export async function writeReport({ root, modules, graph, externals, path }: WrittenReport): Promise<void> {
  const report = createReport({ root, modules, graph, externals })
  const folder = join(root, 'node_modules/.turbolift')
  const json = `${JSON.stringify(report, null, 2)}\n`
  const text = toMarkdown(report)
  const own = path === undefined ? [] : [[resolve(root, path), path.endsWith('.json') ? json : text] as const]
  for (const [file, content] of [
    [join(folder, 'report.json'), json] as const,
    [join(folder, 'report.md'), text] as const,
    ...own,
  ]) {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
}
