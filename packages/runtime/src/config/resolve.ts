import type { ConfigInput, KubernetesConfig, PoolConfig, ResolvedConfig } from '../config.ts'
import { invalidOption, unknownOption, unknownVariable } from './errors.ts'
import { nested, record } from './option.ts'
import type { Option, OptionTable, Resolved } from './option.ts'
import { closestName } from './suggest.ts'
import { kubernetesOptions, poolOptions, runOptions } from './table.ts'

const allOptions: readonly Option<unknown>[] = [runOptions, poolOptions, kubernetesOptions].flatMap((table) =>
  Object.values<Option<unknown>>(table).flatMap(withFields),
)

/** One place where options were written; `name` leads to it in an error. */
export interface Layer {
  readonly name: string
  readonly values: unknown
}

export interface ConfigSources {
  /** What the plugin was told. */
  readonly manifest: unknown
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What `configure()` was told, oldest first. */
  readonly configured: readonly ConfigInput[]
}

/**
 * Layers default < plugin options < environment < `configure()`, all checked.
 * @throws ConfigError `OPTION_UNKNOWN`, `OPTION_INVALID`, `VARIABLE_UNKNOWN`
 */
export function resolveConfig({ manifest, environment, configured }: ConfigSources): ResolvedConfig {
  checkVariableNames(environment)
  const written: Layer = { name: 'turbolift', values: manifest }
  const set: readonly Layer[] = configured.map((values) => ({ name: 'configure', values }))
  for (const layer of [written, ...set]) checkLayer(layer)
  const run = resolveTable(runOptions, [written, fromEnvironment(runOptions, environment), ...set])
  const cluster = (layer: Layer) => inside(layer, 'kubernetes')
  const kubernetes = withReach(
    resolveTable(kubernetesOptions, [
      cluster(written),
      fromEnvironment(kubernetesOptions, environment),
      ...set.map(cluster),
    ]),
  )
  const pool = (name: string) =>
    withOrderedReplicas(
      resolveTable(poolOptions, [
        ...poolLayers(written, name),
        fromEnvironment(poolOptions, environment),
        ...set.flatMap((layer) => poolLayers(layer, name)),
      ]),
    )
  // Also checks the variables for pools before any pool is used.
  pool('default')
  return { run, kubernetes, pool }
}

function withOrderedReplicas(pool: PoolConfig): PoolConfig {
  const { minReplicas, maxReplicas = Infinity } = pool
  if (minReplicas <= maxReplicas) return pool
  throw invalidOption('minReplicas', `a number up to maxReplicas, which is ${maxReplicas}`, minReplicas)
}

/**
 * Refuses pools of `configure()` that no function names.
 * @throws ConfigError `OPTION_UNKNOWN`
 */
export function checkPools(configured: readonly ConfigInput[], known: readonly string[]): void {
  for (const name of configured.flatMap(({ pools = {} }) => Object.keys(pools))) {
    const written = `configure({ pools: { ${name} } })`
    if (!known.includes(name)) throw unknownOption(written, name, closestName(name, known))
  }
}

/** Whoever sets up an ingress wants to go through it. */
function withReach(kubernetes: KubernetesConfig): KubernetesConfig {
  const { reach, ingress } = kubernetes
  if (reach === 'ingress' && ingress === undefined)
    throw invalidOption('kubernetes.reach', 'another way, or kubernetes.ingress, which says where the route is', reach)
  return reach === 'auto' && ingress !== undefined ? { ...kubernetes, reach: 'ingress' } : kubernetes
}

/**
 * Refuses names and values that no table knows, at any depth.
 * @throws ConfigError `OPTION_UNKNOWN`, `OPTION_INVALID`
 */
export function checkLayer(layer: Layer): void {
  const pools: Option<unknown> = record({ default: {}, about: '' })
  const kubernetes = nested({ default: {}, about: '', fields: kubernetesOptions })
  const top = { ...runOptions, ...poolOptions, pools, kubernetes }
  const path = { layer: layer.name, keys: [] }
  checkFields(top, layer.values, path)
  for (const [name, values] of Object.entries(toObject(inside(layer, 'pools').values, `${layer.name}({ pools })`))) {
    checkFields(poolOptions, values, { layer: layer.name, keys: ['pools', name] })
  }
}

/** Where a value was written: `configure({ pools: { big: { maxReplicas } } })`. */
interface Path {
  readonly layer: string
  readonly keys: readonly string[]
}

function checkFields(table: Readonly<Record<string, Option<unknown>>>, values: unknown, path: Path): void {
  for (const [key, value] of Object.entries(toObject(values, toText(path)))) {
    const at = { layer: path.layer, keys: [...path.keys, key] }
    const option = Object.hasOwn(table, key) ? table[key] : undefined
    if (option === undefined) throw unknownOption(toText(at), key, closestName(key, Object.keys(table)))
    if (value === undefined) continue
    if (!option.accepts(value)) throw invalidOption(toText(at), option.expects, value)
    if (option.fields !== undefined && typeof value === 'object') checkFields(option.fields, value, at)
  }
}

function toText({ layer, keys }: Path): string {
  if (keys.length === 0) return `${layer}()`
  return `${layer}({ ${keys.join(': { ')}${' }'.repeat(keys.length)})`
}

function checkVariableNames(environment: ConfigSources['environment']): void {
  const known = allOptions.flatMap((option) => option.environment ?? [])
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('TURBOLIFT_') || known.includes(name)) continue
    const meant = closestName(name, known)
    // Only what looks like a slip: other programs may have variables with this prefix.
    if (meant !== undefined) throw unknownVariable(name, meant)
  }
}

function withFields(option: Option<unknown>): readonly Option<unknown>[] {
  return [option, ...Object.values(option.fields ?? {}).flatMap(withFields)]
}

function fromEnvironment<T>(table: OptionTable<T>, environment: ConfigSources['environment']): Layer {
  const values: Record<string, unknown> = {}
  for (const [key, option] of Object.entries<Option<unknown>>(table)) {
    const value = readVariable(option, environment)
    const fields = option.fields === undefined ? {} : toObject(fromEnvironment(option.fields, environment).values, key)
    if (Object.keys(fields).length > 0) values[key] = { ...toObject(value ?? {}, key), ...fields }
    else if (value !== undefined) values[key] = value
  }
  return { name: 'environment', values }
}

function readVariable(option: Option<unknown>, environment: ConfigSources['environment']): unknown {
  const { environment: name = '', expects } = option
  const text = environment[name]
  if (text === undefined || text === '') return undefined
  const value = option.fromText(text)
  if (!option.accepts(value)) throw invalidOption(name, expects, text)
  return value
}

function poolLayers(layer: Layer, pool: string): readonly Layer[] {
  return [layer, inside(inside(layer, 'pools'), pool)]
}

function inside(layer: Layer, key: string): Layer {
  const values = toObject(layer.values, layer.name)
  return { name: layer.name, values: Object.hasOwn(values, key) ? (values[key] ?? {}) : {} }
}

// The one place where checked values get their type: every layer was checked against the same table.
function resolveTable<T>(table: OptionTable<T>, layers: readonly Layer[]): Resolved<T> {
  const resolved: Record<string, unknown> = {}
  for (const [key, option] of Object.entries<Option<unknown>>(table)) {
    const set = layers.map((layer) => toObject(layer.values, layer.name)[key]).filter((value) => value !== undefined)
    const isSet = set.length > 0
    if (isSet && option.fields !== undefined) {
      // Layers add to each other, key by key, in objects of options too.
      resolved[key] = resolveTable(
        option.fields,
        layers.map((layer) => inside(layer, key)),
      )
    } else resolved[key] = isSet ? set.at(-1) : option.default
  }
  return resolved as Resolved<T>
}

function toObject(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidOption(name, 'an object', value)
  return value as Readonly<Record<string, unknown>>
}
