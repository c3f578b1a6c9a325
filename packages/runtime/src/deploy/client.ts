import type { Duplex } from 'node:stream'

import { openAccess } from './client/access.ts'
import { isRefusal } from './client/errors.ts'
import { parseKind, toPath, withKind } from './client/kinds.ts'
import type { Kind, Kinds } from './client/kinds.ts'
import type { KubeconfigOptions } from './client/kubeconfig.ts'
import { followLog, readLog } from './client/logs.ts'
import type { LogRequest } from './client/logs.ts'
import { parseObject } from './client/objects.ts'
import { forwardPort } from './client/port-forward.ts'
import { send } from './client/request.ts'
import type { ApiAnswer, ApiRequest, RequestContext } from './client/request.ts'
import { listObjects, watchObjects } from './client/watch.ts'
import type { WatchEvent } from './client/watch.ts'
import { writeStdin } from './client/attach.ts'

export { ClusterRequestError, isRefusal, isUnreachable } from './client/errors.ts'
export type { Kind, Kinds } from './client/kinds.ts'
export type { WatchEvent } from './client/watch.ts'

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Default: the client's namespace. */
  readonly namespace?: string | undefined
  /** For one attempt. Default 15_000. */
  readonly timeoutMs?: number
  /** Attempts are repeated until this time has passed. Default 60_000. */
  readonly patienceMs?: number
}

export interface WriteOptions extends CallOptions {
  /** Asks the API server whether it would do it, without doing it. */
  readonly dryRun?: boolean
}

export interface SelectOptions extends CallOptions {
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

export interface WatchOptions extends SelectOptions {
  readonly signal: AbortSignal
  /** A watch that is silent for this long, bookmarks included, is opened anew. Default 75_000. */
  readonly inactivityMs?: number
}

export interface RemoveOptions extends CallOptions {
  /** `Foreground`: the object stays until everything it owns is gone. Default `Background`. */
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan'
  readonly graceSeconds?: number
  /** Only this very object, not one that later got the same name. */
  readonly uid?: string | undefined
}

export interface PatchOptions extends WriteOptions {
  readonly subresource?: 'scale' | 'status'
}

/**
 * The Kubernetes API, as far as turbolift needs it. Requests share connections and repeat what is safe to repeat;
 * objects are plain JSON (times are texts). Refusals throw `ClusterRequestError`, silence `CLUSTER_UNREACHABLE`.
 */
export interface KubernetesClient extends Disposable {
  readonly server: URL
  readonly context: string
  /** Where requests go that name no other namespace. */
  readonly namespace: string
  /** Creates an object. Finding it there after a lost answer counts as success. */
  create<K extends Kind>(kind: K, object: Kinds[K], options?: WriteOptions): Promise<Kinds[K]>
  /** `undefined` when it does not exist. */
  read<K extends Kind>(kind: K, name: string, options?: CallOptions): Promise<Kinds[K] | undefined>
  list<K extends Kind>(kind: K, options?: SelectOptions): Promise<Kinds[K][]>
  /** What exists, `SYNCED`, then every change, until the signal aborts. */
  watch<K extends Kind>(kind: K, options: WatchOptions): AsyncIterable<WatchEvent<K>>
  /** Merge patch: sets the given fields, removes those that are `null`. */
  patch(kind: Kind, name: string, patch: object, options?: PatchOptions): Promise<void>
  /** Server-side apply, as the owner of the fields. */
  apply<K extends Kind>(kind: K, object: Kinds[K], options?: WriteOptions): Promise<Kinds[K]>
  /** Deletes an object; one that is gone already is no error. Returns before it is gone. */
  remove(kind: Kind, name: string, options?: RemoveOptions): Promise<void>
  readLog(pod: string, request?: LogRequest & CallOptions): Promise<string>
  /** Lines as they are written, until the container ends or the signal aborts. */
  followLog(pod: string, request: LogRequest & CallOptions & { readonly signal: AbortSignal }): AsyncIterable<string>
  /** Writes to a container's standard input (`stdin` and `stdinOnce` are set) and ends it. */
  writeStdin(pod: string, request: StdinRequest): Promise<void>
  /** A TCP connection to a pod's port; the signal covers the opening. */
  forwardPort(
    pod: string,
    port: number,
    options: { readonly signal: AbortSignal; readonly namespace?: string },
  ): Promise<Duplex>
  /** Any other request; the answer's body is text. */
  request(request: ApiRequest): Promise<ApiAnswer>
}

export interface StdinRequest {
  readonly container: string
  readonly stdin: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  readonly signal: AbortSignal
  readonly namespace?: string
}

export interface ClientOptions extends KubeconfigOptions {
  /** Default: the context's, else `default`. */
  readonly namespace?: string | undefined
  /** Open watches and connections do not keep the process alive: what waits for them has to. Default false. */
  readonly isBackground?: boolean
  /** Told what the API server warns of, each text once. */
  readonly onWarning?: (text: string) => void
}

/** @throws DeployError `CLUSTER_NOT_CONFIGURED` */
export async function openClient(options: ClientOptions = {}): Promise<KubernetesClient> {
  const access = await openAccess(options)
  const namespace = options.namespace ?? access.namespace ?? 'default'
  const context: RequestContext = { access, userAgent: 'turbolift', isBackground: options.isBackground === true }
  const warned = new Set<string>()
  const request = async (apiRequest: ApiRequest) => {
    const answer = await send(context, apiRequest)
    for (const text of answer.warnings) {
      if (!warned.has(text)) options.onWarning?.(text)
      warned.add(text)
    }
    return answer
  }
  return {
    server: access.server,
    context: access.context,
    namespace,
    request,
    ...objectCalls(request, namespace),
    ...collectionCalls(context, namespace),
    ...podCalls(context, namespace),
    [Symbol.dispose]: () => access.close(),
  }
}

type Send = (request: ApiRequest) => Promise<ApiAnswer>

function objectCalls(
  request: Send,
  defaultNamespace: string,
): Pick<KubernetesClient, 'create' | 'read' | 'patch' | 'apply' | 'remove'> {
  const place = (kind: Kind, options: CallOptions, name?: string) => ({
    ...toLimits(options),
    path: toPath(kind, options.namespace ?? defaultNamespace, name),
  })
  const read = async <K extends Kind>(kind: K, name: string, options: CallOptions = {}) => {
    try {
      return parseAnswer(kind, await request({ ...place(kind, options, name), method: 'GET' }))
    } catch (error) {
      // Also thrown when the namespace itself is missing; that is another code, and an error.
      if (isRefusal(error, 'NotFound') && error.code !== 'NAMESPACE_MISSING') return undefined
      throw error
    }
  }
  return {
    read,
    async create(kind, object, options = {}) {
      const where = place(kind, { ...options, namespace: object.metadata?.namespace ?? options.namespace })
      const body = withKind(kind, object)
      try {
        return parseAnswer(kind, await request({ ...where, method: 'POST', body, query: toDryRun(options) }))
      } catch (error) {
        const existing =
          isRefusal(error, 'AlreadyExists') && error.attempts > 1
            ? await read(kind, object.metadata?.name ?? '', options)
            : undefined
        if (existing === undefined) throw error
        return existing
      }
    },
    async patch(kind, name, body, options = {}) {
      const { path, ...limits } = place(kind, options, name)
      const target = options.subresource === undefined ? path : `${path}/${options.subresource}`
      await request({
        ...limits,
        path: target,
        method: 'PATCH',
        body,
        query: toDryRun(options),
        contentType: 'application/merge-patch+json',
      })
    },
    async apply(kind, object, options = {}) {
      const where = place(
        kind,
        { ...options, namespace: object.metadata?.namespace ?? options.namespace },
        object.metadata?.name,
      )
      const query = { ...toDryRun(options), fieldManager: 'turbolift', force: true }
      const contentType = 'application/apply-patch+yaml'
      return parseAnswer(
        kind,
        await request({ ...where, method: 'PATCH', body: withKind(kind, object), query, contentType }),
      )
    },
    async remove(kind, name, options = {}) {
      const { propagation = 'Background', graceSeconds, uid } = options
      const preconditions = uid === undefined ? {} : { preconditions: { uid } }
      const grace = graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }
      const body = {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        propagationPolicy: propagation,
        ...grace,
        ...preconditions,
      }
      try {
        await request({ ...place(kind, options, name), method: 'DELETE', body })
      } catch (error) {
        // Gone already, or another object has its name by now.
        const isGone = isRefusal(error, 'NotFound') || (uid !== undefined && isRefusal(error, 'Conflict'))
        if (!isGone) throw error
      }
    },
  }
}

function collectionCalls(context: RequestContext, defaultNamespace: string): Pick<KubernetesClient, 'list' | 'watch'> {
  return {
    async list(kind, { namespace, ...options } = {}) {
      const signal = options.signal ?? new AbortController().signal
      const { items } = await listObjects(context, {
        ...options,
        path: toPath(kind, namespace ?? defaultNamespace),
        signal,
      })
      return items.map((item) => parseKind(kind, item))
    },
    async *watch(kind, { namespace, ...options }) {
      for await (const event of watchObjects(context, {
        ...options,
        path: toPath(kind, namespace ?? defaultNamespace),
      })) {
        yield event.type === 'SYNCED' ? event : { type: event.type, object: parseKind(kind, event.object) }
      }
    },
  }
}

function podCalls(
  context: RequestContext,
  defaultNamespace: string,
): Pick<KubernetesClient, 'readLog' | 'followLog' | 'writeStdin' | 'forwardPort'> {
  const path = (pod: string, namespace: string | undefined) => toPath('Pod', namespace ?? defaultNamespace, pod)
  return {
    readLog: (pod, request = {}) => readLog(context, path(pod, request.namespace), request),
    followLog: (pod, request) => followLog(context, path(pod, request.namespace), request),
    writeStdin: (pod, { namespace, ...request }) => writeStdin(context, { ...request, path: path(pod, namespace) }),
    forwardPort: (pod, port, { namespace, signal }) =>
      forwardPort(context, { path: path(pod, namespace), port, signal }),
  }
}

function parseAnswer<K extends Kind>(kind: K, { body }: ApiAnswer): Kinds[K] {
  return parseKind(kind, parseObject(body))
}

function toLimits({
  signal,
  timeoutMs,
  patienceMs,
}: CallOptions): Pick<ApiRequest, 'signal' | 'timeoutMs' | 'patienceMs'> {
  return {
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(patienceMs === undefined ? {} : { patienceMs }),
  }
}

function toDryRun({ dryRun }: WriteOptions): { readonly dryRun?: string } {
  return dryRun === true ? { dryRun: 'All' } : {}
}
