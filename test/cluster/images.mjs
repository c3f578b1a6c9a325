// Makes the container images that the cluster needs, from programs on this machine, and loads them
// into containerd and into the base-image registry. Nothing is pulled from outside.
import { execFileSync as run } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

import { bin, folder, registry, say } from './settings.mjs'

const out = join(folder, 'images')

/** Shared libraries that a dynamically linked program needs, as paths on this machine. */
function libraries(program) {
  const lines = run('ldd', [program], { encoding: 'utf8' }).split('\n')
  return lines.map((line) => line.match(/(\/\S+)/)?.[1]).filter(Boolean)
}

const accounts = {
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n',
  '/etc/group': 'root:x:0:\nnode:x:1000:\nnobody:x:65534:\n',
  '/etc/nsswitch.conf': 'hosts: files dns\n',
}
const nodeProgram = realpathSync(process.execPath)
const shell = [
  '/bin/sh',
  '/bin/ls',
  '/bin/cat',
  '/bin/sleep',
  '/bin/mkdir',
  '/bin/rm',
  '/bin/echo',
  '/usr/bin/env',
  '/bin/cp',
  '/bin/chmod',
]

const images = [
  { name: 'registry.k8s.io/pause:3.10', files: { '/pause': join(bin, 'pause') }, config: { Entrypoint: ['/pause'] } },
  {
    name: 'gcr.io/kaniko-project/executor:v1.24.0',
    files: {
      '/kaniko/executor': join(bin, 'executor'),
      '/kaniko/ssl/certs/ca-certificates.crt': '/etc/ssl/certs/ca-certificates.crt',
    },
    text: { ...accounts, '/kaniko/.docker/config.json': '{}' },
    config: {
      Entrypoint: ['/kaniko/executor'],
      WorkingDir: '/workspace',
      Env: [
        'HOME=/root',
        'USER=root',
        'PATH=/usr/local/bin:/kaniko',
        'SSL_CERT_DIR=/kaniko/ssl/certs',
        'DOCKER_CONFIG=/kaniko/.docker/',
      ],
    },
  },
  {
    name: 'docker.io/library/registry:3',
    isBase: true,
    files: { '/bin/registry': join(bin, 'registry') },
    text: {
      ...accounts,
      '/etc/distribution/config.yml':
        'version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry}, delete: {enabled: true}}\nhttp: {addr: ":5000"}\n',
    },
    config: {
      Entrypoint: ['/bin/registry'],
      Cmd: ['serve', '/etc/distribution/config.yml'],
      ExposedPorts: { '5000/tcp': {} },
    },
  },
  {
    isBase: true,
    name: `docker.io/library/node:${process.versions.node.split('.')[0]}-slim`,
    files: Object.fromEntries([
      ['/usr/local/bin/node', nodeProgram],
      ...[nodeProgram, ...shell].flatMap(libraries).map((l) => [l, l]),
      ...shell.map((s) => [s, s]),
    ]),
    text: accounts,
    config: { Cmd: ['node'], Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] },
  },
]

function archive(image) {
  const tar = join(out, `${image.name.replace(/[/:]/g, '_')}.tar`)
  if (existsSync(tar)) return tar
  const root = mkdtempSync(join(out, 'root-'))
  const packed = mkdtempSync(join(out, 'image-'))
  try {
    fill(root, image)
    pack(root, packed, image)
    const names = readdirSync(packed)
    run('tar', ['-C', packed, '-cf', tar, ...names])
  } finally {
    for (const path of [root, packed]) rmSync(path, { recursive: true })
  }
  return tar
}

function fill(root, { files, text = {} }) {
  for (const name of [...Object.keys(files), ...Object.keys(text)])
    mkdirSync(join(root, dirname(name)), { recursive: true })
  for (const [to, from] of Object.entries(files)) cpSync(realpathSync(from), join(root, to))
  for (const [to, content] of Object.entries(text)) writeFileSync(join(root, to), content)
  mkdirSync(join(root, 'tmp'), { recursive: true })
  run('chmod', ['1777', join(root, 'tmp')])
}

/** One layer, its configuration, and the list of both, as `docker save` writes them. */
function pack(root, packed, { name, config }) {
  const layer = join(packed, 'layer.tar')
  run('tar', ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-C', root, '-cf', layer, '.'])
  const digest = run('sha256sum', [layer], { encoding: 'utf8' }).split(' ')[0]
  const created = '1970-01-01T00:00:00Z'
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const rootfs = { type: 'layers', diff_ids: [`sha256:${digest}`] }
  const text = JSON.stringify({ architecture, os: 'linux', config, rootfs, created, history: [{ created }] })
  const configName = `${createHash('sha256').update(text).digest('hex')}.json`
  writeFileSync(join(packed, configName), text)
  writeFileSync(
    join(packed, 'manifest.json'),
    JSON.stringify([{ Config: configName, RepoTags: [name], Layers: ['layer.tar'] }]),
  )
}

/** Makes what is missing, and loads it. */
export async function makeImages() {
  for (const image of images) {
    const tar = archive(image)
    load(image, tar)
    if (image.isBase) await push(image, tar)
    say(`image ${image.name} (${Math.round(statSync(tar).size / 1e6)} MB)`)
  }
}

function load({ name }, tar) {
  const known = run('ctr', ['-n', 'k8s.io', 'images', 'list', '-q', `name==${name}`], { encoding: 'utf8' }).trim()
  if (!known) run('ctr', ['-n', 'k8s.io', 'images', 'import', tar], { stdio: ['ignore', 'ignore', 'inherit'] })
}

async function push({ name }, tar) {
  const repository = name.replace(/^[^/]+\//, '')
  const [path, tag] = repository.split(':')
  const pushed = await fetch(`http://${registry}/v2/${path}/manifests/${tag}`, { headers: { accept: '*/*' } })
  if (pushed.ok) return
  const copy = ['copy', '-q', '--dest-tls-verify=false', `docker-archive:${tar}`, `docker://${registry}/${repository}`]
  run('skopeo', copy, { stdio: 'inherit' })
}
