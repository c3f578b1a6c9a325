import { parentPort } from 'node:worker_threads'

// The floor for bytes: the structured clone of Node, both ways, with nothing around it.
parentPort.on('message', (bytes) => parentPort.postMessage(bytes))
