import { createStackMap } from './user-stack.ts'

/** A lifted function: of what types only its author knows. */
export type LiftedFunction = (...values: readonly unknown[]) => unknown

/** The lifted functions of this worker. */
export interface FunctionTable {
  /** Ids of all functions; `undefined` in dev, where they come and go. */
  readonly ids: readonly string[] | undefined
  /** Makes stacks of errors what the author of the functions knows. */
  readonly mapStack: (stack: string) => string
  /** The function, or `undefined` if there is none of that id. A promise only while its module is loading. */
  load(id: string): LiftedFunction | undefined | Promise<LiftedFunction | undefined>
}

/**
 * Loads the table of functions. Of a build: a module that exports `functions: Record<liftId, () => Promise<Function>>`,
 * whose modules are loaded at their first call.
 */
export async function loadFunctionTable(url: string): Promise<FunctionTable> {
  const module: unknown = await import(/* @vite-ignore */ url)
  const loadFunction = parseLoadFunction(module)
  const mapStack = createStackMap(new URL('./', url).href)
  if (loadFunction !== undefined) return toDevTable(loadFunction, mapStack)
  const loaders = parseLoaders(module, url)
  const loaded = new Map<string, LiftedFunction>()
  return {
    ids: [...loaders.keys()],
    mapStack,
    load(id) {
      const known = loaded.get(id)
      if (known !== undefined) return known
      return loaders
        .get(id)?.()
        .then((fn) => {
          const lifted = parseFunction(fn, id)
          loaded.set(id, lifted)
          return lifted
        })
    },
  }
}

/** Of a dev server, which has functions as they are written: `loadFunction(id): Promise<Function>`, asked at each call. */
function toDevTable(loadFunction: (id: string) => unknown, mapStack: FunctionTable['mapStack']): FunctionTable {
  return { ids: undefined, mapStack, load: async (id) => parseFunction(await loadFunction(id), id) }
}

function parseLoadFunction(module: unknown): ((id: string) => unknown) | undefined {
  const load = typeof module === 'object' && module !== null ? Reflect.get(module, 'loadFunction') : undefined
  return typeof load === 'function' ? (id) => Reflect.apply(load, undefined, [id]) : undefined
}

function parseLoaders(module: unknown, url: string): ReadonlyMap<string, () => Promise<unknown>> {
  const table = typeof module === 'object' && module !== null ? Reflect.get(module, 'functions') : undefined
  if (typeof table !== 'object' || table === null) throw new Error(`${url} exports no object "functions".`)
  const loaders = new Map<string, () => Promise<unknown>>()
  for (const [id, load] of Object.entries(table)) {
    if (typeof load === 'function') loaders.set(id, async () => load())
  }
  return loaders
}

function parseFunction(value: unknown, id: string): LiftedFunction {
  if (typeof value !== 'function') throw new Error(`The module of "${id}" gave no function.`)
  return (...values) => Reflect.apply(value, undefined, values)
}
