import type { Autoscale, ClusterInput, IngressInput, Reach, ResourcesInput } from '../deploy/options.ts'
import { choice, duration, flag, list, nested, record, text } from './option.ts'
import type { Option, OptionTable } from './option.ts'

type Delivery = NonNullable<ClusterInput['delivery']>
type Texts = Readonly<Record<string, string>>

const quantity = (about: string) => text<string | undefined>({ default: undefined, about })
const texts = (about: string): Option<Texts> =>
  record<Texts>({ default: {}, about, of: (value) => typeof value === 'string', expects: 'an object of texts' })

const resources: OptionTable<ResourcesInput> = {
  cpu: quantity('CPU set aside for a worker. Default `500m`.'),
  cpuLimit: quantity('Most CPU that a worker may use. Default: no limit.'),
  memory: quantity('Memory set aside for a worker, and the most that it may use. Default `512Mi`.'),
  disk: quantity('Space for files in `/tmp` of a worker. Default `256Mi`.'),
}

const ingress: OptionTable<IngressInput> = {
  host: text<string>({ default: '', about: 'Host name that leads to the route.' }),
  path: text<string | undefined>({
    default: undefined,
    about: 'Path of the route. Default: another one for each pool of each run.',
  }),
  tls: {
    default: undefined,
    about:
      "Whether programs connect by TLS: the name of a Secret with the certificate, or `true` for the controller's own.",
    expects: 'true, false, or the name of a Secret',
    fromText: (value) => value,
    accepts: (value) => typeof value === 'boolean' || (typeof value === 'string' && value !== ''),
  },
  class: text<string | undefined>({ default: undefined, about: "Ingress class. Default: the cluster's." }),
  annotations: texts('Annotations of the Ingress or HTTPRoute.'),
  gateway: record<IngressInput['gateway']>({
    default: undefined,
    about: 'Gateway (`name`, `namespace`) for an HTTPRoute in place of an Ingress.',
  }),
  port: {
    default: undefined,
    about: 'Port where programs connect. Default 443 with `tls`, else 80.',
    expects: 'a port number',
    fromText: Number,
    accepts: (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536,
  },
  address: text<string | undefined>({
    default: undefined,
    about: "Address to connect to, when the host's name does not lead there.",
  }),
  caFile: text<string | undefined>({
    default: undefined,
    about: 'File with the certificates of a private authority, for `tls`.',
  }),
}

/** What the cluster's part of a run can be told. */
export const clusterOptions: OptionTable<ClusterInput> = {
  delivery: choice<Delivery>({
    default: 'image',
    of: ['image', 'mount'],
    environment: 'TURBOLIFT_DELIVERY',
    about:
      'How worker code comes to the nodes: `image` builds an image in the cluster, `mount` puts files into the stock Node image.',
  }),
  reach: choice<Reach>({
    default: 'auto',
    of: ['auto', 'direct', 'port-forward', 'ingress'],
    environment: 'TURBOLIFT_REACH',
    about:
      'How the program reaches its workers; `auto`: through the `ingress` where one is set, else by pod addresses where they answer, else by port-forward.',
  }),
  autoscale: choice<Autoscale>({
    default: 'queue',
    of: ['queue', 'cpu', 'external'],
    about: "What sets the number of workers: the program's own `queue`, an HPA by `cpu`, or something `external`.",
  }),
  resources: nested<ResourcesInput | undefined>({
    default: undefined,
    about: 'Resources of each worker.',
    fields: resources,
  }),
  env: texts('Environment variables of workers.'),
  secrets: list<readonly string[]>({
    default: [],
    about: 'Secrets of the namespace whose keys become environment variables of workers.',
  }),
  imagePullSecrets: list<readonly string[]>({
    default: [],
    about: 'Secrets with logins for the registries that nodes pull from.',
  }),
  nodeSelector: texts('Labels that a node must have.'),
  tolerations: {
    default: [],
    about: 'Tolerations of worker pods, as in a pod.',
    expects: 'a list of tolerations',
    fromText: (value) => value,
    accepts: Array.isArray,
  },
  affinity: record<ClusterInput['affinity']>({ default: undefined, about: 'Affinity of worker pods, as in a pod.' }),
  labels: texts('Labels on everything that a run creates.'),
  annotations: texts('Annotations on worker pods.'),
  serviceAccount: text<string | undefined>({
    default: undefined,
    about: 'Account that workers run under; they get no token.',
  }),
  ingress: nested<IngressInput | undefined>({
    default: undefined,
    about: 'A route from outside. TLS ends there: workers speak plain HTTP.',
    fields: ingress,
  }),
  networkPolicy: flag<boolean>({
    default: true,
    about: "Lets only the program through to the workers, where the cluster's network enforces it.",
  }),
  graceMs: duration<number>({
    min: 1,
    default: 60_000,
    environment: 'TURBOLIFT_GRACE_MS',
    about: 'Everything of a run goes when the program was silent for this long.',
  }),
  patch: record<Readonly<Record<string, object>>>({
    default: {},
    about: 'Merge patches for the objects of a pool by kind, for what has no option.',
    of: (value) => typeof value === 'object' && value !== null,
  }),
}
