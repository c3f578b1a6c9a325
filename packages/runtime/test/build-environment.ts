import { BASE_IMAGE, KANIKO, REGISTRY } from './build-site.ts'

/** The test cluster's images and registry, for programs and commands. */
export const buildEnvironment: Readonly<Record<string, string>> = {
  TURBOLIFT_REGISTRY: JSON.stringify({ push: REGISTRY, insecure: true }),
  TURBOLIFT_BASE_IMAGE: BASE_IMAGE,
  TURBOLIFT_KANIKO_IMAGE: KANIKO,
  TURBOLIFT_INSECURE_REGISTRIES: REGISTRY,
}

/** The same without a registry of one's own: the built-in one is used. */
export const builtInEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(buildEnvironment).filter(([name]) => name !== 'TURBOLIFT_REGISTRY'),
)
