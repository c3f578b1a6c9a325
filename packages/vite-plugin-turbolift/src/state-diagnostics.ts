import type { TextRange } from './ast.ts'
import { error, warning } from './diagnostics.ts'
import type { Diagnostic } from './diagnostics.ts'

// What is told of state, and of statements, that the main program and workers do not share.

export function moduleStateShared(name: string, at: TextRange): Diagnostic {
  return error('MODULE_STATE_SHARED', at, {
    what: `"${name}" is assigned in functions, and both the main program and a lifted function use it.`,
    why: 'Each worker has its own copy of the module, so neither side would see what the other assigns.',
    fix: `Pass "${name}" as a parameter and return what changes, or use it on one side only.`,
  })
}

export function moduleObjectShared(name: string, at: TextRange): Diagnostic {
  return warning('MODULE_STATE_SHARED', at, {
    what: `"${name}" is changed in functions, and both the main program and a lifted function use it.`,
    why: 'Each worker has its own copy of the module, so neither side sees what the other changes.',
    fix: `Pass "${name}" as a parameter and return what changes, or use it on one side only.`,
  })
}

export function moduleLeftMain(text: string, at: TextRange): Diagnostic {
  return warning('MODULE_LEFT_MAIN', at, {
    what: `Workers alone load this module, and what it does at its top level is not done in the main program: ${text}`,
    why: 'Only lifted functions use what it exports, so the main program does not import it any more.',
    fix: 'Import it for its effect in a module of the main program too, or write // @turbolift-keep above the statement where that is right.',
  })
}

export function moduleRunsInWorkers(text: string, at: TextRange): Diagnostic {
  return warning('MODULE_RUNS_IN_WORKERS', at, {
    what: `Each worker loads this module too, and does what it does at its top level: ${text}`,
    why: 'A lifted function imports from it.',
    fix: 'Move what lifted functions use into a module of its own, or write // @turbolift-keep above the statement where that is right.',
  })
}

export function moduleStateCopied(names: readonly string[], at: TextRange): Diagnostic {
  return warning('MODULE_STATE_COPIED', at, {
    what: `The main program and workers both import this module, whose functions change ${names.map((name) => `"${name}"`).join(', ')}.`,
    why: 'Each worker has its own copy of the module, so neither side sees what the other changes.',
    fix: 'Pass what changes as arguments and results. Where each side may have its own, as of a cache, say so by a comment in the module: @turbolift-own-copy.',
  })
}

export function setUpLeftOut(name: string, at: TextRange): Diagnostic {
  return warning('SETUP_LEFT_OUT', at, {
    what: `This statement changes "${name}", which a lifted function uses, and workers do not run it.`,
    why: 'It also does something that can be seen, such as printing or starting a server, or comes after a call of a lifted function.',
    fix: `Change "${name}" in a statement of its own, or write a comment above this one: // @turbolift-keep to run it in workers too, // @turbolift-main where they need not.`,
  })
}

export function valueDiffers(name: string, at: TextRange): Diagnostic {
  return warning('VALUE_DIFFERS', at, {
    what: `"${name}" is another value in each worker than in the main program.`,
    why: 'It is taken from chance, the clock, standard input or the name of the started file, and each process takes its own.',
    fix: `Pass "${name}" as a parameter, or write // @turbolift-keep above this statement where each may have its own.`,
  })
}
