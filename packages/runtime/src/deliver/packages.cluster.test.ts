import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { type BuildSite, createBuildSite, imageOptions, REGISTRY, runImage } from '../../test/build-site.ts'
import { makeProgramImage } from '../../test/program-image.ts'
import { createImageDelivery } from './image.ts'

// npm as it comes with the Node that runs this, and a registry of npm packages with one package in it.
const npm = dirname(dirname(realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())))

let site: BuildSite
beforeAll(async () => {
  // Differs each time, so that no image of an earlier run is found.
  const program = `import { greeting } from 'small-package'\nconsole.log(greeting) // ${randomBytes(8).toString('hex')}\n`
  site = await createBuildSite('packages', { files: { 'worker.js': program, 'package.json': '{"type":"module"}' } })
})
afterAll(() => site[Symbol.asyncDispose]())

test('npm packages are installed in the image, from the registry of the build arguments', async () => {
  await using packages = await servePackage()
  const launcher = join(packages.folder, 'npm')
  writeFileSync(launcher, '#!/bin/sh\nexec node /usr/local/lib/npm/bin/npm-cli.js "$@"\n')
  const baseImage = await makeProgramImage('test-npm', { 'usr/local/lib/npm': npm, 'usr/local/bin/npm': launcher })
  const buildArgs = { npm_config_registry: packages.url }
  const options = { ...imageOptions, baseImage, npm: ['small-package@1.0.0'] }
  const kaniko = { ...imageOptions.kaniko, buildArgs, showLog: true }
  const code = await createImageDelivery({ ...options, kaniko }).deliver(site.request)
  expect(site.log.join('\n')).toContain('npm install --prefix /turbolift')
  expect(await runImage(site, code, ['node', '/turbolift/worker.js'])).toBe('hello from a package\n')
})

interface PackageServer extends AsyncDisposable {
  readonly url: string
  readonly folder: string
}

async function servePackage(): Promise<PackageServer> {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-packages-'))
  const source = join(folder, 'package')
  mkdirSync(source)
  const description = { name: 'small-package', version: '1.0.0', type: 'module', exports: './index.js' }
  writeFileSync(join(source, 'package.json'), JSON.stringify(description))
  writeFileSync(join(source, 'index.js'), "export const greeting = 'hello from a package'\n")
  execFileSync('tar', ['-C', folder, '-czf', join(folder, 'package.tgz'), 'package'])
  const address = REGISTRY.replace(/:\d+$/, '')
  const server = createServer((request, response) => {
    if (request.url?.endsWith('.tgz') === true) return void response.end(readFileSync(join(folder, 'package.tgz')))
    const dist = { tarball: `${url()}/small-package.tgz` }
    const versions = { '1.0.0': { ...description, dist } }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ name: 'small-package', 'dist-tags': { latest: '1.0.0' }, versions }))
  })
  await once(server.listen(0, '0.0.0.0'), 'listening')
  function url(): string {
    const bound = server.address()
    return `http://${address}:${typeof bound === 'object' ? bound?.port : ''}`
  }
  return {
    url: url(),
    folder,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      rmSync(folder, { recursive: true })
    },
  }
}
