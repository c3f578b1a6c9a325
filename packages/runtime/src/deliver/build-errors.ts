import { BuildError } from '../errors.ts'

export function invalidPackage(name: string, list: 'apt' | 'npm' | 'buildArgs'): BuildError {
  return new BuildError('PACKAGE_NAME_INVALID', {
    what: `"${name}" in \`kubernetes.image\` (${list}) is not a name.`,
    why: 'The names become part of a shell command in the image build, so only plain names pass.',
    fix: invalidNameFixes[list],
  })
}

const invalidNameFixes = {
  apt: 'Write it as `name` or `name=version`.',
  npm: 'Write it as `name` or `name@version`.',
  buildArgs: 'Use letters, digits and underscores.',
}

export function nativePackageMissing(names: readonly string[]): BuildError {
  return new BuildError('NATIVE_PACKAGE_MISSING', {
    what: `The workers' image does not hold ${names.map((name) => `"${name}"`).join(', ')}.`,
    why: 'Packages with native code, and those of the option `external`, do not travel in the bundle, and the stock Node image does not have them.',
    fix: 'List them in `kubernetes.image.npm`, or name an image that has them in `kubernetes.image.baseImage`.',
  })
}

export function needsKaniko(list: 'apt' | 'npm'): BuildError {
  return new BuildError('BUILDER_CANNOT_RUN', {
    what: `The builder "append" cannot install the ${list} packages that are listed.`,
    why: 'It adds a layer of files to the base image; nothing runs while it does so.',
    fix: 'Use the builder "kaniko", or a base image that has the packages already.',
  })
}

/** The cluster announces a registry for programs, and says nothing of pods. */
export function registryOutOfReach(host: string): BuildError {
  return new BuildError('REGISTRY_OUT_OF_REACH', {
    what: `The registry ${host} that the cluster announces cannot be reached from pods, where Kaniko builds.`,
    why: 'The ConfigMap kube-public/local-registry-hosting has no hostFromClusterNetwork, and packages of `kubernetes.image.apt` or `kubernetes.image.npm` need a build.',
    fix: 'Name the registry with all its names in TURBOLIFT_REGISTRY, as docs/kubernetes.md shows.',
  })
}

export function registryUnreachable(host: string, cause: unknown): BuildError {
  const reason =
    cause instanceof Error ? cause.message || ('code' in cause ? String(cause.code) : cause.name) : String(cause)
  return new BuildError(
    'REGISTRY_UNREACHABLE',
    {
      what: `The registry ${host} does not answer: ${reason}.`,
      why: 'Images are kept there between the build and the start of the workers.',
      fix: 'Check the name in `kubernetes.image.registry`, whether it speaks plain HTTP (`kubernetes.image.registry.insecure`) or has a private authority (`kubernetes.image.registry.caFile`), and `turbolift doctor`.',
    },
    { cause },
  )
}

export interface Refusal {
  readonly host: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly text: string
}

export function registryRefused({ host, method, path, status, text }: Refusal): BuildError {
  const what = `The registry ${host} answered ${status} to ${method} ${path.replace(/\?.*$/, '')}${text === '' ? '' : `: ${text.trim()}`}.`
  if (status === 401 || status === 403) return pushDenied(what)
  if (status === 404)
    return new BuildError('IMAGE_NOT_FOUND', {
      what,
      why: 'The registry does not have the image, or hides it from these credentials.',
      fix: 'Check the name and tag of the image, and the credentials for its registry.',
    })
  return new BuildError('REGISTRY_REFUSED', {
    what,
    why: 'The request was understood and turned down; the words above are those of the registry.',
    fix: 'Check that the registry allows pushing to this repository, and its free space.',
  })
}

export function digestWrong(wanted: string, got: string): BuildError {
  return new BuildError('DIGEST_WRONG', {
    what: `What was received for ${wanted} has the digest ${got}.`,
    why: 'A digest names content, so the registry, or something on the way to it, answers with another.',
    fix: 'Do not use that registry until you know why; a proxy that rewrites answers would do this too.',
  })
}

export function pushDenied(what: string): BuildError {
  return new BuildError('PUSH_DENIED', {
    what,
    why: 'The registry wants other credentials for this repository.',
    fix: 'Log in with `docker login`, or name a Secret in `kubernetes.image.registry.pushSecret`; `kubernetes.image.registry.shareCredentials` hands your own login to the build pod.',
  })
}

export function dockerConfigInvalid(file: string, cause: unknown): BuildError {
  return new BuildError(
    'DOCKER_CONFIG_INVALID',
    {
      what: `The registry credentials in ${file} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}.`,
      why: 'It is where the login for the registry is looked up.',
      fix: 'Repair it with `docker login`, or name another file in `kubernetes.image.registry.dockerConfig`.',
    },
    { cause },
  )
}
