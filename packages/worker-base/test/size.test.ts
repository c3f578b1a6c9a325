import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

import { build } from 'rolldown'
import { describe, expect, it } from 'vitest'

/** gzip bytes of the programs that travel in every manifest, and of what the main bundle takes. Raise them knowingly. */
const LIMITS = { 'worker.js': 43_000, 'executor.js': 41_000, 'wire.js': 16_000 } as const

function readBuilt(name: string): Buffer {
  return readFileSync(new URL(`../dist/${name}`, import.meta.url))
}

describe('size', () => {
  it.each(['worker.js', 'executor.js'] as const)('%s stays small and needs nothing but Node', (name) => {
    const code = readBuilt(name)
    expect(gzipSync(code).length).toBeLessThan(LIMITS[name])
    const imports = [...code.toString().matchAll(/^import[^'"]*["']([^'"]+)["']/gm)].map(([, source]) => source)
    expect(imports.filter((source) => !builtinModules.includes(source?.replace('node:', '') ?? ''))).toEqual([])
  })

  it('wire.js is small in a bundle of a program that uses all of it', async () => {
    const { output } = await build({
      input: fileURLToPath(new URL('../dist/wire.js', import.meta.url)),
      platform: 'node',
      write: false,
      output: { minify: true },
    })
    expect(gzipSync(output[0].code).length).toBeLessThan(LIMITS['wire.js'])
  })

  it('wire.js is left out of a program that uses nothing of it', async () => {
    const source = fileURLToPath(new URL('../dist/wire.js', import.meta.url))
    const { output } = await build({
      input: 'virtual:main',
      platform: 'node',
      write: false,
      plugins: [
        {
          name: 'virtual',
          resolveId: (id) => (id === 'virtual:main' ? id : null),
          load: (id) => (id === 'virtual:main' ? `import { encodeValue } from ${JSON.stringify(source)}` : null),
        },
      ],
    })
    expect(output[0].code.length).toBeLessThan(300)
  })
})
