import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What is for one process: debugger ports, the program's own text, modes of running it, files written at its end. */
const FOR_THE_PROGRAM =
  /^--?(?:inspect.*|debug-port|eval|e|print|p|pe|check|c|interactive|i|input-type|watch.*|test.*|experimental-test.*|run|env-file.*|title|cpu-prof.*|heap-prof.*|prof|prof-process|heapsnapshot.*|build-s.*|experimental-sea-config|experimental-default-type|entry-url|experimental-entry-url)$/
/** Flags of these may have their value as the next word. */
const TAKES_WORD =
  /^--?(?:inspect-port|inspect-publish-uid|debug-port|eval|e|print|p|pe|input-type|watch-path|watch-kill-signal|test-.*|experimental-test-.*|run|env-file.*|title|cpu-prof-.*|heap-prof-.*|heapsnapshot-.*|build-s.*|experimental-sea-config|experimental-default-type)$/
const LOADS_MODULE = /^(?:-r|--require|--import|--loader|--experimental-loader)$/
/** Modules are named from where the program was started; it may have gone elsewhere since. */
const startFolder = readFolder()

/**
 * Node's own flags for a worker: those of the program, since lifted functions may need them (`--expose-gc`, `--import`,
 * limits of memory), but for those that mean one process alone.
 */
export function toWorkerFlags(flags: readonly string[]): readonly string[] {
  const kept: string[] = []
  for (let at = 0; at < flags.length; at += 1) {
    const [name, value] = splitFlag(flags[at] ?? '')
    if (FOR_THE_PROGRAM.test(name)) {
      if (value === undefined && TAKES_WORD.test(name) && !(flags[at + 1] ?? '-').startsWith('-')) at += 1
    } else if (LOADS_MODULE.test(name)) {
      const module = value ?? flags[(at += 1)] ?? ''
      kept.push(name, fromStartFolder(name, module))
    } else kept.push(flags[at] ?? '')
  }
  return kept
}

/** A debugger that waits at its port for one process would make every worker wait. */
export function withoutInspector(nodeOptions: string): string {
  return nodeOptions.replace(/(?<!\S)--inspect\S*/g, '').trim()
}

function splitFlag(flag: string): readonly [string, string?] {
  const end = flag.indexOf('=')
  return flag.startsWith('--') && end !== -1 ? [flag.slice(0, end), flag.slice(end + 1)] : [flag]
}

function fromStartFolder(flag: string, module: string): string {
  if (startFolder === undefined || isAbsolute(module) || !/^\.\.?[/\\]/.test(module)) return module
  const path = resolve(startFolder, module)
  return flag === '-r' || flag === '--require' ? path : pathToFileURL(path).href
}

function readFolder(): string | undefined {
  try {
    return process.cwd()
  } catch {
    // It was removed: then nothing can be named from it.
    return undefined
  }
}
