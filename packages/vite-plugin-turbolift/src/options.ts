import type { ConfigInput } from 'turbolift/manifest'

/** What users write in `turbolift({ … })`. Options of the run are defaults that environment and `configure()` override. */
export interface TurboliftOptions extends ConfigInput {
  /** Checks by the project's own TypeScript that arguments and results can be sent. Default `true`. */
  readonly typecheck?: boolean
  /** Writes the report of what each worker holds to this file (`.json` or `.md`). Default: only to `node_modules/.turbolift/`. */
  readonly report?: string | undefined
}

export interface ResolvedOptions {
  readonly run: ConfigInput
  readonly pools: readonly string[]
  readonly typecheck: boolean
  readonly report: string | undefined
}

export function resolveOptions({ typecheck = true, report, ...run }: TurboliftOptions): ResolvedOptions {
  return { run, pools: Object.keys(run.pools ?? {}), typecheck, report }
}
