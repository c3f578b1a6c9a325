// Packs the programs of a worker once and for all, since every build of a user's program takes them along:
// `dist/program.tar.gz`, to which each adds a part of its own.
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

import { createTar } from 'nanotar'

const BLOCK_BYTES = 512

const dist = new URL('../dist/', import.meta.url)
const attrs = { mtime: 0, uid: 0, gid: 0, mode: '644', user: '', group: '' }
const files = ['executor.js', 'worker.js'].map((name) => ({ name, data: readFileSync(new URL(name, dist)), attrs }))
const blocks = files.reduce((count, { data }) => count + 1 + Math.ceil(data.length / BLOCK_BYTES), 0)
// Without the empty blocks at its end, so that another archive can follow.
const tar = createTar(files).subarray(0, blocks * BLOCK_BYTES)
writeFileSync(new URL('program.tar.gz', dist), gzipSync(tar, { level: 9 }))
