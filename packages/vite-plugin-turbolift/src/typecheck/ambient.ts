/**
 * The checker, written in types: declared globally in the generated program, so that an assertion can stand
 * in any scope without an import.
 *
 * `Check<F, N>` is for each value that cannot be sent a text `<N>!<path> is a <kind>`; `?` in place
 * of `!` where only some values of the type cannot be sent (an optional property, one member of a union).
 * Where all can be sent it is `<N>=ok`. So each assertion fails, and one without a message was not checked: a name that
 * was not found, or a type that is too deep for the compiler, fits everything and says nothing.
 * Written for TypeScript 5.9, 6 and 7. Two traps: a mapped type must be over a type parameter, since over
 * `keyof Parameters<F>` it accepts everything; and a name that the user's `lib` lacks is an error type that
 * accepts everything, hence `Global`.
 */
export const ambientTypes: string = String.raw`
declare namespace $Turbolift {
  type Assert<P extends 'ok'> = P

  type Check<F, N extends string> =
    Report<N, IsAny<F> extends true ? 'ok' : Signatures<F>>

  /** What is found in all overloads, of which an inference alone sees the last. */
  type Signatures<F> =
    F extends { (...args: infer A): infer R; (...args: infer B): infer S; (...args: infer C): infer T; (...args: infer D): infer U }
      ? Signature<A, R> | Signature<B, S> | Signature<C, T> | Signature<D, U>
    : F extends { (...args: infer A): infer R; (...args: infer B): infer S; (...args: infer C): infer T }
      ? Signature<A, R> | Signature<B, S> | Signature<C, T>
    : F extends { (...args: infer A): infer R; (...args: infer B): infer S } ? Signature<A, R> | Signature<B, S>
    : F extends (...args: infer A) => infer R ? Signature<A, R>
    : 'ok'
  type Signature<A extends readonly unknown[], R> = Parameter<A> | Result<R>

  /** The same of one value, whose path begins with P. */
  type CheckValue<T, P extends string, N extends string> = Report<N, Settle<Walk<T, P, [], Argument>>>

  type Report<N extends string, Found> =
    [Exclude<Found, 'ok'>] extends [never] ? ${'`${N}=ok`'} : Numbered<N, Exclude<Found, 'ok'>>
  type Numbered<N extends string, Found> = Found extends string ? ${'`${N}${Found}`'} : never

  type Parameter<A extends readonly unknown[]> = {
    [K in keyof A]-?: Settle<Walk<A[K], ${'`parameter ${Index<K>}`'}, [], Argument>>
  }[number]

  /** ${'`number`'} for what stands in the rest of a tuple. */
  type Index<K> = K extends string | number ? K : never

  type Result<R> =
    R extends AsyncGenerator<infer Y, infer Z, infer N>
      ? Settle<Walk<Y, 'yielded value', [], never>> | Settle<Walk<Z, 'result', [], never>> | Told<N>
      : Settle<Walk<Awaited<R>, 'result', [], Opened>>

  /** Values of a generator are computed ahead, so there is no yield that waits for what next(value) gives. */
  type Told<N> =
    IsAny<N> extends true ? 'ok'
    : unknown extends N ? 'ok'
    : [N] extends [undefined | void] ? 'ok'
    : '!result is a generator that takes values by next(value)'

  /** Allowed is what may stand here beyond the values that may stand anywhere. */
  type Walk<T, P extends string, Depth extends unknown[], Allowed> =
    IsAny<T> extends true ? 'ok'
    : unknown extends T ? 'ok'
    : [T] extends [never] ? 'ok'
    : Member<T, P, Depth, Allowed>

  type Member<T, P extends string, Depth extends unknown[], Allowed> =
    T extends string | number | bigint | boolean | null | undefined | void ? 'ok'
    : T extends symbol ? ${'`!${P} is a symbol`'}
    : T extends Function ? ${'`!${P} is a function`'}
    : T extends { readonly [Symbol.toStringTag]: 'SharedArrayBuffer' } ? ${'`!${P} is a SharedArrayBuffer`'}
    : T extends { readonly buffer: { readonly [Symbol.toStringTag]: 'SharedArrayBuffer' }; readonly byteOffset: number }
      ? ${'`!${P} is a view of a SharedArrayBuffer`'}
    : T extends Global<'ReadableStream'> ? Chunks<T, P, Depth, Allowed>
    : T extends BlobLike | Allowed ? 'ok'
    : T extends ArrayBufferView ? 'ok'
    : T extends Date ? Extras<T, Date, P, Depth, Allowed>
    : T extends RegExp ? Extras<T, RegExp, P, Depth, Allowed>
    : T extends Global<'URL'> ? Extras<T, Global<'URL'>, P, Depth, Allowed>
    : T extends Sendable ? 'ok'
    : T extends Error ? 'stack' extends keyof T ? OwnError<T, P> : Inside<T, P, Depth, Allowed>
    : T extends PromiseLike<any> ? ${'`!${P} is a promise`'}
    : Depth['length'] extends 6 ? 'ok'
    : Inside<T, P, Depth, Allowed>

  /** The reader without options is the one that says what it reads. */
  type Chunks<T, P extends string, Depth extends unknown[], Allowed> =
    T extends { getReader(...options: any): infer R }
      ? R extends { read(): PromiseLike<infer Step> }
        ? Step extends { done: false; value: infer C }
          ? [Opened] extends [Allowed] ? Settle<Walk<C, ${'`${P}[]`'}, [...Depth, 0], never>> : Bytes<C, P>
          : never
        : never
      : 'ok'
  /** A stream that is read before it is sent. */
  type Bytes<C, P extends string> =
    IsAny<C> extends true ? 'ok'
    : unknown extends C ? 'ok'
    : [C] extends [ArrayBufferView] ? 'ok'
    : ${'`!${P} is a stream of other values than bytes`'}

  type Inside<T, P extends string, Depth extends unknown[], Allowed> =
    T extends readonly unknown[]
      ? number extends T['length']
        ? Merge<
            | Settle<Walk<T[number], ${'`${P}[]`'}, [...Depth, 0], Allowed>>
            | Extras<T, any[], P, Depth, Allowed>
          >
        : Merge<Items<T, P, Depth, Allowed>>
    : T extends ReadonlyMap<infer K, infer V>
      ? Merge<
          | Settle<Walk<K, ${'`${P}.keys()[]`'}, [...Depth, 0], Allowed>>
          | Settle<Walk<V, ${'`${P}.values()[]`'}, [...Depth, 0], Allowed>>
          | Extras<T, Map<any, any>, P, Depth, Allowed>
        >
    : T extends ReadonlySet<infer V>
      ? Merge<
          Settle<Walk<V, ${'`${P}.values()[]`'}, [...Depth, 0], Allowed>> | Extras<T, Set<any>, P, Depth, Allowed>
        >
    : T extends WeakMap<any, any> ? ${'`!${P} is a WeakMap`'}
    : T extends WeakSet<any> ? ${'`!${P} is a WeakSet`'}
    : T extends Global<'WeakRef'> ? ${'`!${P} is a WeakRef`'}
    : T extends AsyncIterable<infer V>
      ? [Opened] extends [Allowed]
        ? Merge<Settle<Walk<V, ${'`${P}[]`'}, [...Depth, 0], never>> | Beside<T, P>>
      : keyof T extends symbol
        ? ${'`?${P} is an async iterable`'}
        : ${'`!${P} is an async iterable`'}
    : T extends Iterable<infer V>
      ? keyof T extends symbol
        ? Settle<Walk<V, ${'`${P}[]`'}, [...Depth, 0], Allowed>>
        : Merge<Fields<T, P, Depth, Allowed>>
    : Merge<Fields<T, P, Depth, Allowed>>

  /** What a type has beside its base: fields of objects of built-in classes travel, methods of subclasses do not. */
  type Extras<T, Base, P extends string, Depth extends unknown[], Allowed> = ExtraFields<
    T,
    Exclude<keyof T, keyof Base | number | ${'`${number}`'} | symbol>,
    P,
    Depth,
    Allowed
  >
  type ExtraFields<T, Keys extends keyof T, P extends string, Depth extends unknown[], Allowed> =
    [Keys] extends [never] ? 'ok' : Merge<Fields<Pick<T, Keys>, P, Depth, Allowed>>

  /** Of an async iterable nothing arrives but what it yields. Streams of Node are classes, and known as such. */
  type Beside<T, P extends string> =
    'pipe' extends keyof T ? 'ok'
    : Merge<{ [K in keyof T]-?: K extends symbol ? 'ok' : T[K] extends Function ? 'ok' : BesideField<P, K> }[keyof T]>
  type BesideField<P extends string, K> =
    K extends string | number ? ${'`?${P}.${K} is a field of an async iterable, which arrives without it`'} : 'ok'

  /** The class of an error stays behind, with its methods and getters. Fields that may be missing are no sign of one. */
  type OwnError<T, P extends string> =
    T extends Global<'DOMException'> ? 'ok'
    : [RequiredKeys<Omit<T, keyof Error | 'errors'>>] extends [never] ? 'ok'
    : T extends { readonly remoteClass: string } ? 'ok'
    : ${'`?${P} is an error of a class of its own, which arrives without its class, methods and getters`'}
  type RequiredKeys<T> = { [K in keyof T]-?: {} extends Pick<T, K> ? never : K }[keyof T]

  type Items<T extends readonly unknown[], P extends string, Depth extends unknown[], Allowed> = {
    [K in keyof T]-?: Settle<Walk<T[K], ${'`${P}[${Index<K>}]`'}, [...Depth, 0], Allowed>>
  }[number]

  type Fields<T, P extends string, Depth extends unknown[], Allowed> = {
    [K in keyof T]-?: K extends keyof Object
      ? 'ok'
      : IsBrand<T, K> extends true
        ? 'ok'
      : IsOptional<T, K> extends true
        ? Soften<Walk<T[K], Property<P, K>, [...Depth, 0], Allowed>>
        : Settle<Walk<T[K], Property<P, K>, [...Depth, 0], Allowed>>
  }[keyof T]

  /** What only the types have: { __brand: unique symbol }, { __type?: (x: T) => T }. */
  type IsBrand<T, K extends keyof T> =
    K extends ${'`_${string}`'}
      ? [Exclude<T[K], undefined>] extends [symbol] ? true
        : K extends ${'`__${string}`'} ? IsOptional<T, K>
        : false
      : false

  type Property<P extends string, K> =
    K extends symbol ? ${'`${P}[symbol]`'}
    : string extends K ? ${'`${P}[]`'}
    : number extends K ? ${'`${P}[]`'}
    : K extends string | number ? ${'`${P}.${K}`'}
    : P
  type IsOptional<T, K extends keyof T> =
    string extends K ? false : number extends K ? false : {} extends Pick<T, K> ? true : false

  /** One value: where it may also be fine, what is found is softened. */
  type Settle<Found> = 'ok' extends Found ? Soften<Found> : Found
  type Soften<Found> = Found extends ${'`!${infer Rest}`'} ? ${'`?${Rest}`'} : Found
  /** Many values together: fine only where all of them are. */
  type Merge<Found> = [Exclude<Found, 'ok'>] extends [never] ? 'ok' : Exclude<Found, 'ok'>

  type IsAny<T> = 0 extends 1 & T ? true : false
  type Global<K extends string> = typeof globalThis extends { [N in K]: { prototype: infer P } } ? P : never
  type Sendable =
    | Date
    | RegExp
    | ArrayBuffer
    | ArrayBufferView
    | { readonly [Symbol.toStringTag]: ${'`Temporal.${string}`'} }
    | Global<'URL'>
    | Global<'URLSearchParams'>
  /** Also those that are imported from node:buffer, which have a type of their own. */
  type BlobLike =
    | Global<'Blob'>
    | {
        readonly size: number
        readonly type: string
        arrayBuffer(): PromiseLike<unknown>
        slice(...range: any): unknown
        text(): PromiseLike<string>
      }
  type Argument = Global<'AbortSignal'> | Opened
  /** Allowed where streams and async iterables are sent on while they are read. */
  type Opened = { readonly $opened: true }
}
`
