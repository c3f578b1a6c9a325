// npm run fuzz -- [runs] [seed]: the wire decoder, in this process, guided by coverage.
// npm run fuzz -- http|frames [runs] [seed]: a real worker, by requests or by frames.
const [, , subject] = process.argv
if (subject === 'http' || subject === 'frames') await import('./worker.mjs')
else await import('./run.mjs')
