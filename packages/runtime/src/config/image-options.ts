import type { Builder, ImageInput, KanikoInput, RegistryInput } from '../deliver/options.ts'
import { choice, duration, flag, list, nested, record, text } from './option.ts'
import type { Option, OptionTable } from './option.ts'

const kanikoOptions: OptionTable<KanikoInput> = {
  image: text({
    default: undefined,
    environment: 'TURBOLIFT_KANIKO_IMAGE',
    about: 'Image of the build pod. Default: a pinned release of the maintained fork of Kaniko.',
  }),
  mirrors: list({ default: undefined, about: "Registries that serve Docker Hub's images in its place, in order." }),
  insecureRegistries: list({
    default: undefined,
    environment: 'TURBOLIFT_INSECURE_REGISTRIES',
    about: 'Registries (`host:port`) that speak plain HTTP, beside the one that is pushed to.',
  }),
  buildArgs: record({
    default: undefined,
    of: isText,
    expects: 'an object of texts',
    about: '`ARG` values of the build.',
  }),
  cpu: text({
    default: undefined,
    about: 'CPU of the build pod (`500m`): asked for, and its limit. Default: asks for `250m`, no limit.',
  }),
  memory: text({
    default: undefined,
    about: 'Memory of the build pod: asked for, and its limit. Default: asks for `256Mi`, limit `2Gi`.',
  }),
  ephemeralStorage: text({
    default: undefined,
    about: 'Disk space of the build pod, for the unpacked base image. Default: no limit.',
  }),
  timeoutMs: duration({ default: undefined, min: 1, about: 'The build has to end within this time. Default 300,000.' }),
  showLog: flag({
    default: undefined,
    environment: 'TURBOLIFT_SHOW_BUILD',
    about: 'Shows the log of the build while it runs. Default: only when it fails.',
  }),
  extraArgs: list({ default: undefined, about: "More flags for Kaniko's executor." }),
}

const registryFields: OptionTable<RegistryInput> = {
  push: text({ default: undefined, about: "The registry's name for the build pod: `host[:port][/path]`." }),
  pull: text({ default: undefined, about: 'Its name for the nodes. Default: `push`.' }),
  host: text({ default: undefined, about: 'Its name for this program. Default: `push`.' }),
  insecure: flag({ default: undefined, about: 'It speaks plain HTTP. Default: only on loopback addresses.' }),
  caFile: text({ default: undefined, about: 'File with the certificates of its private authority.' }),
  pushSecret: text({
    default: undefined,
    about: 'Secret with the login for the build pod (`kubernetes.io/dockerconfigjson`).',
  }),
  pullSecret: text({ default: undefined, about: 'Secret with the login for the nodes. Default: `pushSecret`.' }),
  dockerConfig: text({
    default: undefined,
    about: "Docker configuration with this program's login. Default: that of `docker login`.",
  }),
  shareCredentials: flag({
    default: undefined,
    about: "Hands this program's login to the build pod and the nodes, in a Secret of the run. Default false.",
  }),
}

/** A registry is one name for all sides, or an object of options. */
const registryOption: Option<string | RegistryInput | undefined> = {
  default: undefined,
  environment: 'TURBOLIFT_REGISTRY',
  about:
    'Where images are kept: `host[:port][/path]`, or an object when each side has its own name for it. Default: what the cluster announces, else one that is started in the namespace.',
  expects: 'the name of a registry, or an object with at least `push`',
  fromText: (value) => (value.trim().startsWith('{') ? parseJson(value) : value),
  accepts: (value) => (typeof value === 'string' ? value !== '' : isRegistry(value)),
}

export const imageOptions: OptionTable<ImageInput> = {
  baseImage: text({
    default: undefined,
    environment: 'TURBOLIFT_BASE_IMAGE',
    about: 'Image that workers are made from. Default: `node:<major>-slim` of the running Node.',
  }),
  builder: choice<Builder | undefined>({
    default: undefined,
    of: ['kaniko', 'append'],
    environment: 'TURBOLIFT_BUILDER',
    about:
      "`kaniko` (default) builds in a pod of the cluster; `append` adds a layer through the registry's HTTP API, without a pod.",
  }),
  apt: list({ default: undefined, about: 'Debian packages to install in the image.' }),
  npm: list({ default: undefined, about: 'npm packages to install in the image.' }),
  architecture: text({
    default: undefined,
    environment: 'TURBOLIFT_ARCHITECTURE',
    about:
      'Architecture of the nodes (`amd64`, `arm64`). Default: with `append`, that of this machine; else that of the node that builds.',
  }),
  registry: registryOption,
  registryImage: text({
    default: undefined,
    environment: 'TURBOLIFT_REGISTRY_IMAGE',
    about: 'Image of the registry that is started when none is named. Default: `docker.io/library/registry:3`.',
  }),
  kaniko: nested<KanikoInput | undefined>({ default: undefined, fields: kanikoOptions, about: 'The build pod.' }),
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isRegistry(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('push' in value)) return false
  const known: Readonly<Record<string, Option<unknown>>> = { ...registryFields }
  return Object.entries(value).every(([key, field]) => field === undefined || known[key]?.accepts(field) === true)
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    // Refused by the caller, which names the variable and what it expects.
    return undefined
  }
}
