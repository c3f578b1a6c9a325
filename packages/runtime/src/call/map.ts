import { inputNotList, inputsNotIterable, mapOfStream } from './errors.ts'
import { openResultCache } from './cache.ts'
import type { ResultCache } from './cache.ts'
import { liftedHandleOf } from './lifted.ts'
import type { CallOptions } from './lifted.ts'
import { checkMapOptions } from './map-options.ts'
import { MapReading } from './map-iterator.ts'
import type { MapOptions, Outcome } from './map-options.ts'
import { MapResults } from './map-results.ts'
import { MapRun } from './map-run.ts'
import type { Inputs } from './map-run.ts'
import { PlainInvoker } from './plain-invoker.ts'
import { captureSite } from './stack.ts'
import type { CallSite } from './stack.ts'

/** What is worked on: read only as fast as results are taken. */
export type Source<I> = Iterable<I> | AsyncIterable<I>

type Returning = MapOptions & { readonly onError: 'return' }
type Throwing = MapOptions & { readonly onError?: 'throw' | 'skip' }

/** Calls of async generators give many values each, for which a map has no place. */
type NoStream<R> = [R] extends [never]
  ? unknown
  : R extends AsyncGenerator<unknown, unknown, never>
    ? { readonly 'a call of an async generator gives many values, not one result': never }
    : unknown
type Single<I, R> = ((input: I) => R) & NoStream<R>
type Spread<A extends readonly unknown[], R> = ((...args: A) => R) & NoStream<R>

/**
 * Calls `fn` with each input, on all workers at a time.
 * The result is a promise of all results in an array, or with `for await` the results one by one; leaving the loop
 * early cancels the rest. Nothing happens before it is awaited or iterated.
 * @throws what the first call that failed threw, unless `onError` says otherwise; `MapFailedError`; the signal's reason
 * @example
 * const pages = await map(render, urls)
 * for await (const page of map(render, readUrls(), { ordered: false, retries: 2 })) await save(page)
 */
export function map<I, R>(fn: Single<I, R>, inputs: Source<I>, options: Returning): MapResults<Outcome<Awaited<R>>>
export function map<I, R>(fn: Single<I, R>, inputs: Source<I>, options?: Throwing): MapResults<Awaited<R>>
export function map<I, R>(
  fn: Single<I, R>,
  inputs: Source<I>,
  options: MapOptions,
): MapResults<Awaited<R> | Outcome<Awaited<R>>>
export function map<I>(fn: (input: I) => unknown, inputs: Source<I>, options: MapOptions = {}): MapResults<unknown> {
  const site = captureSite(map)
  return start(fn, {
    call: 'map',
    site,
    inputs: toArguments('map', inputs, (input) => [input]),
    total: toTotal(inputs),
    options,
  })
}

/**
 * `map` for functions of several parameters: each input is the list of arguments.
 * @example await starmap(resize, [[photo, 100], [photo, 200]])
 */
export function starmap<A extends readonly unknown[], R>(
  fn: Spread<A, R>,
  inputs: Source<Readonly<A>>,
  options: Returning,
): MapResults<Outcome<Awaited<R>>>
export function starmap<A extends readonly unknown[], R>(
  fn: Spread<A, R>,
  inputs: Source<Readonly<A>>,
  options?: Throwing,
): MapResults<Awaited<R>>
export function starmap<A extends readonly unknown[], R>(
  fn: Spread<A, R>,
  inputs: Source<Readonly<A>>,
  options: MapOptions,
): MapResults<Awaited<R> | Outcome<Awaited<R>>>
export function starmap<A extends readonly unknown[]>(
  fn: (...args: A) => unknown,
  inputs: Source<A>,
  options: MapOptions = {},
): MapResults<unknown> {
  const site = captureSite(starmap)
  return start(fn, {
    call: 'starmap',
    site,
    inputs: toArguments('starmap', inputs, toList),
    total: toTotal(inputs),
    options,
  })
}

/** `map` for functions without a result: starts at once, keeps nothing, resolves when all calls are done. */
export async function forEach<I, R>(fn: Single<I, R>, inputs: Source<I>, options: MapOptions = {}): Promise<void> {
  const call = {
    call: 'forEach',
    site: captureSite(forEach),
    inputs: toArguments('forEach', inputs, (input: I) => [input]),
    total: toTotal(inputs),
    options: { ...options, ordered: false },
  }
  const results = start(fn, call)[Symbol.asyncIterator]()
  for (let step = await results.next(); step.done !== true;) step = await results.next()
}

interface StartOptions {
  /** As the user wrote it, for errors. */
  readonly call: string
  readonly site: CallSite
  readonly inputs: () => Inputs
  /** How many there are, where that is known. */
  readonly total: number | undefined
  readonly options: MapOptions
}

function start(
  fn: (...args: never[]) => unknown,
  { call, site, inputs, total, options }: StartOptions,
): MapResults<unknown> {
  checkMapOptions(call, options)
  const handle = liftedHandleOf(fn)
  if (handle === undefined) {
    const run = { name: fn.name, invoker: new PlainInvoker(fn, options), options, report: undefined }
    return new MapResults(
      new MapReading({ name: fn.name, site, options }, () => new MapRun({ ...run, inputs: inputs() })),
    )
  }
  if (handle.meta.kind === 'stream') throw mapOfStream(handle.meta.name)
  const begin = () => {
    const report = handle.reportMap(total)
    const invoker = handle.toInvoker(toCallOptions(options), {
      report,
      cache: openCache(options),
      concurrency: options.concurrency,
    })
    return new MapRun({ name: fn.name, invoker, inputs: inputs(), options, report })
  }
  return new MapResults(new MapReading({ name: fn.name, site, options }, begin))
}

// The map itself watches the signal: one listener instead of one for each call.
function toCallOptions({ timeoutMs, retries, retryDelayMs }: MapOptions): CallOptions {
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retries === undefined ? {} : { retries }),
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  }
}

function openCache({ cache }: MapOptions): Promise<ResultCache> | undefined {
  return cache === undefined ? undefined : openResultCache(cache)
}

/** @throws LiftError `INPUT_NOT_LIST` */
function toList(input: readonly unknown[]): readonly unknown[] {
  if (!Array.isArray(input)) throw inputNotList(input)
  return input
}

function toTotal(inputs: Source<unknown>): number | undefined {
  if (Array.isArray(inputs)) return inputs.length
  return inputs instanceof Set || inputs instanceof Map ? inputs.size : undefined
}

/** @throws LiftError `INPUTS_NOT_ITERABLE` */
function toArguments<I>(call: string, source: Source<I>, pack: (input: I) => readonly unknown[]): () => Inputs {
  if (!isIterable(source)) throw inputsNotIterable(call, source)
  return () => {
    if (isAsync(source)) return packEachAsync(source[Symbol.asyncIterator](), pack)
    return packEach(source[Symbol.iterator](), pack)
  }
}

// A text is an iterable too, and no object.
function isAsync<I>(source: Source<I>): source is AsyncIterable<I> {
  return Symbol.asyncIterator in Object(source)
}

function isIterable(source: unknown): boolean {
  return (
    source !== undefined &&
    source !== null &&
    (Symbol.iterator in Object(source) || Symbol.asyncIterator in Object(source))
  )
}

function packEach<I>(inputs: Iterator<I>, pack: (input: I) => readonly unknown[]): Iterator<readonly unknown[]> {
  return {
    next: () => packStep(inputs.next(), pack),
    return: () => ({ done: true, value: inputs.return?.() }),
  }
}

function packEachAsync<I>(
  inputs: AsyncIterator<I>,
  pack: (input: I) => readonly unknown[],
): AsyncIterator<readonly unknown[]> {
  return {
    next: async () => packStep(await inputs.next(), pack),
    return: async () => ({ done: true, value: await inputs.return?.() }),
  }
}

function packStep<I>(
  step: IteratorResult<I>,
  pack: (input: I) => readonly unknown[],
): IteratorResult<readonly unknown[]> {
  return step.done === true ? { done: true, value: undefined } : { done: false, value: pack(step.value) }
}
