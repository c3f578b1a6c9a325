import { createRequire } from 'node:module'
import { parentPort } from 'node:worker_threads'

import { expose } from 'comlink'

import square from './function.mjs'

const nodeEndpoint = createRequire(import.meta.url)('comlink/dist/umd/node-adapter.js')
expose({ square }, nodeEndpoint(parentPort))
