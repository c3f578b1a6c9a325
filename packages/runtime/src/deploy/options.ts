/** How the program reaches its workers. */
export type Reach = 'auto' | 'direct' | 'port-forward' | 'ingress'

/** What sets the number of workers. */
export type Autoscale = 'queue' | 'cpu' | 'external'

/** CPU and memory of one worker, in Kubernetes' units. */
export interface ResourcesInput {
  /** What is set aside for a worker. Default `500m`. */
  readonly cpu?: string
  /** Most that it may use. Default: no limit. */
  readonly cpuLimit?: string
  /** What is set aside, and the most that it may use. Default `512Mi`. */
  readonly memory?: string
  /** Space for files in `/tmp`. Default `256Mi`. */
  readonly disk?: string
}

/** Lets workers run on nodes that keep other pods away. */
export interface Toleration {
  readonly key?: string
  readonly operator?: 'Exists' | 'Equal'
  readonly value?: string
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
  readonly tolerationSeconds?: number
}

/** A route from outside, through an ingress controller or a gateway that the cluster has. */
export interface IngressInput {
  /** Host name that leads to it. */
  readonly host: string
  /** Default `/turbolift/<run>/<pool>`: another one for each pool of each run. */
  readonly path?: string
  /** Whether programs connect by TLS; the name of a Secret with the certificate, or `true` for the controller's own. Default false. */
  readonly tls?: boolean | string
  /** Ingress class. Default: the cluster's default class. */
  readonly class?: string
  readonly annotations?: Readonly<Record<string, string>>
  /** Makes an HTTPRoute of this gateway in place of an Ingress. */
  readonly gateway?: { readonly name: string; readonly namespace?: string }
  /** Port where programs connect. Default 443 with `tls`, else 80. */
  readonly port?: number
  /** Address to connect to, when the host's name does not lead there. */
  readonly address?: string
  /** File with the certificates of a private authority, for `tls`. */
  readonly caFile?: string
}

/** What the cluster's part of a run can be told. All of it has defaults. */
export interface ClusterInput {
  /** How worker code comes to the nodes: `image` builds one in the cluster, `mount` puts files into the stock Node image. Default `image`. Environment: `TURBOLIFT_DELIVERY`. */
  readonly delivery?: 'image' | 'mount'
  /** How the program reaches its workers. Default `auto`: pod addresses where they answer, else port-forward. Environment: `TURBOLIFT_REACH`. */
  readonly reach?: Reach
  /** What sets the number of workers: the program's own `queue` (default), an HPA by `cpu`, or something `external`. */
  readonly autoscale?: Autoscale
  /** Resources of each worker. */
  readonly resources?: ResourcesInput | undefined
  /** Environment variables of workers. */
  readonly env?: Readonly<Record<string, string>>
  /** Secrets of the namespace whose keys become environment variables of workers. */
  readonly secrets?: readonly string[]
  /** Secrets of the namespace with logins for the registries that nodes pull from. */
  readonly imagePullSecrets?: readonly string[]
  /** Labels that a node must have. */
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly tolerations?: readonly Toleration[]
  /** As in a pod. */
  readonly affinity?: Readonly<Record<string, unknown>> | undefined
  /** Labels on everything that a run creates. */
  readonly labels?: Readonly<Record<string, string>>
  /** Annotations on worker pods. */
  readonly annotations?: Readonly<Record<string, string>>
  /** Account that workers run under; they get no token. Default: the namespace's default account. */
  readonly serviceAccount?: string | undefined
  /** A route from outside, for `reach: 'ingress'`. TLS ends there: workers speak plain HTTP. */
  readonly ingress?: IngressInput | undefined
  /** Lets only the program through to the workers, where the cluster's network enforces it. Default true. */
  readonly networkPolicy?: boolean
  /** Everything of a run goes when the program was silent for this long. Default 60_000. Environment: `TURBOLIFT_GRACE_MS`. */
  readonly graceMs?: number
  /** Merge patches for the objects of a pool by kind (`{ Deployment: { … } }`), for what has no option. */
  readonly patch?: Readonly<Record<string, object>>
}
