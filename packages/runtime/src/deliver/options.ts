import { REGISTRY_IMAGE } from './registry-objects.ts'

/** How worker code becomes an image. */
export type Builder = 'kaniko' | 'append'

/** Options of the delivery `image`; all have defaults. */
export interface ImageInput {
  /** Image that workers are made from. Default: `node:<major of the running Node>-slim`. Pin it by digest to be safe from moved tags. */
  readonly baseImage?: string | undefined
  /** `kaniko` builds in a pod of the cluster; `append` adds one layer through the registry's HTTP API. Default `kaniko`. */
  readonly builder?: Builder | undefined
  /** Debian packages to install in the image. Needs `kaniko` and a base image with `apt-get`. */
  readonly apt?: readonly string[] | undefined
  /** npm packages to install in the image (`sharp@0.34.4`). Needs `kaniko` and a base image with `npm`. */
  readonly npm?: readonly string[] | undefined
  /** CPU architecture of the nodes, as registries call it (`amd64`, `arm64`). Default: that of this machine. */
  readonly architecture?: string | undefined
  /** Where images go. A string is a registry that all sides know by the same name. Default: discovered, else built in. */
  readonly registry?: string | RegistryInput | undefined
  /** Image of the built-in registry. Default `docker.io/library/registry:3`. */
  readonly registryImage?: string | undefined
  readonly kaniko?: KanikoInput | undefined
}

/** Those options with their defaults. */
export interface ImageOptions {
  readonly baseImage: string
  /** Whether the base image is the one that nobody chose. */
  readonly isStockImage: boolean
  readonly builder: Builder
  readonly apt: readonly string[]
  readonly npm: readonly string[]
  /** Files on a base image run only where that does. `undefined`: a built image is for the node that builds it. */
  readonly architecture: string | undefined
  readonly registry: string | RegistryInput | undefined
  readonly registryImage: string
  readonly kaniko: KanikoInput
  /** Names of the build's arguments. */
  readonly buildArgs: readonly string[]
}

export function resolveImageOptions(input: ImageInput): ImageOptions {
  const builder = input.builder ?? 'kaniko'
  return {
    baseImage: input.baseImage ?? `node:${process.versions.node.split('.')[0]}-slim`,
    isStockImage: input.baseImage === undefined,
    builder,
    apt: input.apt ?? [],
    npm: input.npm ?? [],
    architecture: input.architecture ?? (builder === 'append' ? toArchitecture() : undefined),
    registry: input.registry,
    registryImage: input.registryImage ?? REGISTRY_IMAGE,
    kaniko: input.kaniko ?? {},
    buildArgs: Object.keys(input.kaniko?.buildArgs ?? {}),
  }
}

/** Name of this machine's processor in image manifests. */
export function toArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch
}

/** One registry, under the names that each side has for it, with an optional path: `host:port/team`. */
export interface RegistryInput {
  /** Name for the build pod. */
  readonly push: string
  /** Name for the nodes. Default: `push`. */
  readonly pull?: string | undefined
  /** Name for this program. Default: `push`. */
  readonly host?: string | undefined
  /** Speak plain HTTP. Default: only for `localhost` and loopback addresses. */
  readonly insecure?: boolean | undefined
  /** File with the certificates of a private authority. */
  readonly caFile?: string | undefined
  /** Name of a `kubernetes.io/dockerconfigjson` Secret in the namespace, for the build pod. */
  readonly pushSecret?: string | undefined
  /** Name of a `kubernetes.io/dockerconfigjson` Secret in the namespace, for the nodes. Default: `pushSecret`. */
  readonly pullSecret?: string | undefined
  /** Docker configuration with this program's own credentials. Default: `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`. */
  readonly dockerConfig?: string | undefined
  /**
   * Also hand the credentials of `dockerConfig` for this registry to the build pod and the nodes, in a Secret
   * that goes with the run. Default false.
   */
  readonly shareCredentials?: boolean | undefined
}

/** Options of the build pod. */
export interface KanikoInput {
  /** Default: a pinned release of the maintained fork. */
  readonly image?: string | undefined
  /** Registries that serve Docker Hub's images in its place, tried in order. */
  readonly mirrors?: readonly string[] | undefined
  /** Registries (`host:port`) that speak plain HTTP, beside the one that is pushed to. */
  readonly insecureRegistries?: readonly string[] | undefined
  /** `ARG` values of the build, for `RUN` lines (`{ HTTP_PROXY: … }`). */
  readonly buildArgs?: Readonly<Record<string, string>> | undefined
  readonly cpu?: string | undefined
  readonly memory?: string | undefined
  /** Space for the unpacked base image. Default no limit. */
  readonly ephemeralStorage?: string | undefined
  /** Default 300_000. */
  readonly timeoutMs?: number | undefined
  /** Show the build's log while it runs. Default false: it is only shown when the build fails. */
  readonly showLog?: boolean | undefined
  /** More flags for the executor, as written on its command line. */
  readonly extraArgs?: readonly string[] | undefined
}
