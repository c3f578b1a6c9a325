import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import type { TestNamespace } from '../../../test/cluster/namespace.ts'

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Runs the built `turbolift` command as users do. */
export function runTurbolift(
  args: readonly string[],
  { environment, cwd }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...environment }, cwd: cwd ?? tmpdir(), timeout: 120_000 }
    execFile(process.execPath, [main, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, stdout, stderr })
    })
  })
}

/** A service account that may do what `turbolift role` prints, and nothing else. */
export interface LimitedAccount extends Disposable {
  /** Kubeconfig with the account's token. */
  readonly kubeconfig: string
}

export interface AccountOptions {
  readonly name: string
  readonly environment: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Resource that the Role is to lack. */
  readonly without?: string
}

export async function createLimitedAccount(
  space: TestNamespace,
  { name, environment, args = [], without }: AccountOptions,
): Promise<LimitedAccount> {
  const printed = await runTurbolift(['role', '-n', space.name, '--name', name, ...args], { environment })
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-account-'))
  const objects = join(folder, 'role.yaml')
  writeFileSync(objects, printed.stdout)
  await kubectl('apply', '-f', objects)
  if (without !== undefined) await takeAway(space, { name, without })
  const token = await kubectl('create', 'token', name, '--namespace', space.name)
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(
    kubeconfig,
    withToken(await kubectl('config', 'view', '--raw', '--flatten', '--minify', '-o', 'json'), token),
    { mode: 0o600 },
  )
  return { kubeconfig, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

async function takeAway(
  { client }: TestNamespace,
  { name, without }: { name: string; without: string },
): Promise<void> {
  const role = await client.read('Role', name)
  const rules = (role?.rules ?? []).filter(({ resources = [] }) => !resources.includes(without))
  await client.patch('Role', name, { rules })
}

async function kubectl(...args: readonly string[]): Promise<string> {
  // The test cluster brings its own; other clusters come with one.
  const own = join(process.env['CLUSTER_DIR'] ?? '/var/tmp/turbolift-cluster', 'bin', 'kubectl')
  const { stdout } = await promisify(execFile)(existsSync(own) ? own : 'kubectl', [...args])
  return stdout
}

/** The same cluster, with the token in place of the administrator's certificate. */
function withToken(config: string, token: string): string {
  const json: unknown = JSON.parse(config)
  if (typeof json !== 'object' || json === null || !('contexts' in json) || !Array.isArray(json.contexts))
    throw new TypeError('kubectl printed no kubeconfig')
  const contexts: readonly unknown[] = json.contexts
  const renamed = contexts.map((entry) => toLimited(entry))
  return JSON.stringify({ ...json, users: [{ name: 'limited', user: { token: token.trim() } }], contexts: renamed })
}

function toLimited(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null || !('context' in entry)) return entry
  const context = typeof entry.context === 'object' ? entry.context : {}
  return { ...entry, context: { ...context, user: 'limited' } }
}
