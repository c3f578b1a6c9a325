/** What the name of a function says of a call whose code is not at hand. */
export type Verb =
  /** It changes what it belongs to, or what it is given, and nothing else: `extend`, `registerHelper`. */
  | 'sets-up'
  /** It writes a line for people. */
  | 'logs'
  /** It does something outside: a request, a server, a file. */
  | 'acts'
  /** It changes nothing, and calls at once what it is given: `forEach`, `map`. */
  | 'iterates'
  | 'reads'
  /** It has something called later. */
  | 'listens'
  | 'unknown'

const VERBS: Readonly<Record<Exclude<Verb, 'unknown'>, string>> = {
  'sets-up': `add alias append apply assign augment cache clear concurrency config configure define decorate default
    defaults delete disable enable extend fill finalize freeze global implement import inherit inherits init initialize
    install locale mix mixin option options overload override patch plugin plugins polyfill pop preset push reg register
    remove replace reset reverse seed set setup shift simd sort splice template theme unregister unset unshift use
    with`,
  logs: 'alert assert debug err error fatal info log notice print silly trace verbose warn',
  acts: `begin boot bootstrap broadcast close connect delay deploy destroy dispatch download emit end exec execute exit
    fetch flush go head hydrate kill launch listen main mount notify open pipe post publish pull put query
    read render report request resume run save schedule send serve show sleep spawn start stop submit sync
    terminate transfer upload wait watch write`,
  iterates: `every filter find findIndex findLast findLastIndex flatMap forEach map reduce reduceRight some from
    toSorted`,
  listens: 'addEventListener addListener off on once subscribe unsubscribe',
  reads: `at catch child concat entries env finally flat get has includes indexOf is join keys lastIndexOf match
    next peek pick select slice split test then to toJSON toLocaleString toString trim value values`,
}

const BY_WORD = new Map(
  Object.entries(VERBS).flatMap(([verb, words]) => words.split(/\s+/).map((word) => [word, parseVerb(verb)] as const)),
)

/** Reads the first word of a name: `registerHelper` registers, `setLocale` sets. */
export function verbOf(name: string): Verb {
  const [first = ''] = /^[A-Z]?[a-z]+/.exec(name.replace(/^[_$]+/, '')) ?? []
  return BY_WORD.get(name) ?? BY_WORD.get(first.toLowerCase()) ?? 'unknown'
}

/** Helpers by which TypeScript, esbuild, Babel, SWC and oxc write what a class sets up: which argument they change. */
export function helperSubject(name: string): number | undefined {
  if (/^_+(?:ts_)?(?:es)?decorate/i.test(name)) return 1
  return /^_+(?:define|publicField|private|classPrivate|async|applyDecs|runInit|setFunctionName|inherits)/i.test(name)
    ? 0
    : undefined
}

/** Globals whose calls change nothing but what they are given. */
const PURE_OBJECTS = new Set(
  `Array ArrayBuffer Atomics BigInt Boolean Buffer Date Intl JSON Map Math Number Promise RegExp Set String Symbol
    TextDecoder TextEncoder URL Uint8Array performance`.split(/\s+/),
)
const PURE_FUNCTIONS =
  /^(?:is(?:NaN|Finite)|parse(?:Int|Float)|(?:en|de)codeURI(?:Component)?|structuredClone|atob|btoa|[A-Z]\w*)$/
const ACTING_CONSTRUCTORS = /^(?:Worker|SharedWorker|WebSocket|EventSource|XMLHttpRequest|BroadcastChannel)$/
const READING_OF_PROCESS = /^(?:cwd|hrtime|uptime|memoryUsage|cpuUsage|getuid|geteuid|getgid|getegid|umask)$/

/** Whether a call of a global function or constructor can be seen outside. */
export function actsAsGlobal(name: string): boolean {
  return !PURE_FUNCTIONS.test(name) || ACTING_CONSTRUCTORS.test(name)
}

/** Of a method of a global object: `console.log`, `Math.max`. */
export function isPureOfGlobal(object: string, method: string): boolean {
  return PURE_OBJECTS.has(object) || (object === 'process' && READING_OF_PROCESS.test(method))
}

/** `Object.assign` and `Reflect.set` change their first argument, and give it back. */
export function changesFirstArgument(object: string, method: string): boolean {
  return (
    /^(?:Object|Reflect)$/.test(object) && /^(?:assign|define|set|delete|prevent|freeze|seal|construct)/.test(method)
  )
}

function parseVerb(text: string): Verb {
  return text as Verb
}
