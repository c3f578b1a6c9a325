import type { V1LocalObjectReference, V1OwnerReference, V1Volume, V1VolumeMount } from '@kubernetes/client-node'

import type { KubernetesClient } from '../deploy/client.ts'

/** One way to bring the extracted worker files to the place where pods start: an image, or mounted files. */
export interface Delivery {
  /**
   * Brings the files there; done once for each run, all pools share the result.
   * @throws BuildError with the reason; nothing half-built stays
   */
  deliver(request: DeliveryRequest): Promise<DeliveredCode>
}

export interface DeliveryRequest {
  /** Folder that holds the extracted files (`worker.js`, `executor.js`, `functions.js`, …). */
  readonly folder: string
  /** Name of the program, from the manifest. */
  readonly program: string
  /** Packages with native code that must be in the image, from the manifest. */
  readonly externals: readonly string[]
  readonly scope: DeliveryScope
  /** Told what a build prints, line by line, when the user asked to see it. */
  readonly onLog: ((line: string) => void) | undefined
  readonly signal: AbortSignal
}

/** Where a delivery may create objects, and what it writes on each of them. */
export interface DeliveryScope {
  readonly client: KubernetesClient
  readonly namespace: string
  /** Start of the names of all objects of the run: `tl-<run>`. */
  readonly namePrefix: string
  /** Labels of the run, on every object and pod template. */
  readonly labels: Readonly<Record<string, string>>
  /** The anchor: the owner of everything, so that it goes when the run ends. */
  readonly owner: V1OwnerReference
  /** Whether NetworkPolicies keep others from what the run has in the cluster. */
  readonly isGuarded: boolean
}

/** What a worker's pod template must say so that the pod has the code. */
export interface DeliveredCode {
  /** Image reference as nodes pull it. */
  readonly image: string
  readonly command: readonly string[]
  readonly workingDir: string
  readonly volumes: readonly V1Volume[]
  readonly volumeMounts: readonly V1VolumeMount[]
  readonly imagePullSecrets: readonly V1LocalObjectReference[]
  /** Labels that a node must have, where the code suits only some (the processor's architecture). */
  readonly nodeSelector?: Readonly<Record<string, string>>
}
