// npm run fuzz -- [runs] [seed]: the wire decoder, in this process, guided by coverage.
// npm run fuzz -- http|frames [runs] [seed]: a real worker, by requests or by frames.
const [, , subject] = process.argv
await import(subject === 'http' || subject === 'frames' ? './worker.mjs' : './run.mjs')
