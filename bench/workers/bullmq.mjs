import { Worker } from 'bullmq'

import square from './function.mjs'

const [queue, path] = process.argv.slice(2)
const worker = new Worker(queue, async (job) => square(job.data), { connection: { path }, concurrency: 64 })
await worker.waitUntilReady()
// However the benchmark ends.
process.on('disconnect', () => process.exit())
process.send('ready')
