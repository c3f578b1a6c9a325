import type { Option } from '../../packages/runtime/src/config/option.ts'
import { kubernetesOptions, poolOptions, runOptions } from '../../packages/runtime/src/config/table.ts'

type Options = Readonly<Record<string, Option<unknown>>>

/** The text of docs/configuration.md: everything that can be set, from the tables that also check it. */
export function renderConfigurationPage(): string {
  return [
    '# Configuration',
    'Nothing has to be set. What can be is set in three places; the first one that says something wins:',
    '1. `configure({ … })` in the program, before the first lifted call\n2. variables `TURBOLIFT_…` of the environment\n3. `turbolift({ … })` in the Vite configuration',
    'Variables exist for what describes the environment and not the program. Written by the tests from the tables that check the options.',
    '## Of the run',
    renderTable('', runOptions),
    '## Of a pool',
    "Set for all pools at the top level, as `{ maxReplicas: 4 }`, or for one, as `{ pools: { heavy: { maxReplicas: 4 } } }`. A function names its pool in the directive: `'use lift: heavy'`.",
    renderTable('', poolOptions),
    '## Of the target `kubernetes`',
    'Written as `{ kubernetes: { … } }`.',
    renderTable('', kubernetesOptions),
  ]
    .join('\n\n')
    .concat('\n')
}

function renderTable(prefix: string, options: Options): string {
  const rows = listRows(prefix, options).map((cells) => `| ${cells.join(' | ')} |`)
  return ['| option | environment | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

function listRows(prefix: string, options: Options): string[][] {
  return Object.entries(options).flatMap(([key, option]) => {
    const name = `${prefix}${key}`
    const row = [`\`${name}\``, option.environment === undefined ? '' : `\`${option.environment}\``, describe(option)]
    return [row, ...(option.fields === undefined ? [] : listRows(`${name}.`, option.fields))]
  })
}

/** The default is added where it is a plain value that the sentence does not name. */
function describe({ about, default: value }: Option<unknown>): string {
  const isPlain = ['number', 'string', 'boolean'].includes(typeof value) && value !== ''
  const shown = typeof value === 'number' ? value.toLocaleString('en') : String(value)
  return isPlain && !about.includes('Default') ? `${about} Default \`${shown}\`.` : about
}
