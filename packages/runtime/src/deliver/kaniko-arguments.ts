import type { KanikoInput } from './options.ts'

/** Maintained fork of the archived GoogleContainerTools project; pinned, since the build runs as root. */
export const KANIKO_IMAGE = 'ghcr.io/osscontainertools/kaniko:v1.28.3'

export interface BuildTarget {
  /** `host[:port]/repository:tag` as the builder reaches it. */
  readonly destination: string
  /** `host[:port]` of the destination. */
  readonly host: string
  readonly isInsecure: boolean
  /** File with the certificates of a private authority, where the builder sees it. */
  readonly certificates: string | undefined
}

/**
 * Flags for one COPY-only build, with the context on the standard input.
 * Left out on purpose: `--single-snapshot` and `--snapshot-mode` add scans of the whole file system, `--cache` costs
 * round trips, `--reproducible` packs every layer of the base again.
 */
export function toKanikoArguments(target: BuildTarget, options: KanikoInput, digestFile: string): readonly string[] {
  const insecure = [...(target.isInsecure ? [target.host] : []), ...(options.insecureRegistries ?? [])]
  return [
    '--context=tar://stdin',
    '--dockerfile=Dockerfile',
    `--destination=${target.destination}`,
    `--digest-file=${digestFile}`,
    '--log-format=text',
    '--push-retry=2',
    '--image-download-retry=2',
    '--image-fs-extract-retry=2',
    ...insecure.map((host) => `--insecure-registry=${host}`),
    ...(options.mirrors ?? []).map((host) => `--registry-mirror=${host}`),
    ...Object.entries(options.buildArgs ?? {}).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...(target.certificates === undefined ? [] : [`--registry-certificate=${target.host}=${target.certificates}`]),
    ...(options.extraArgs ?? []),
  ]
}
