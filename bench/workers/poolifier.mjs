import { ThreadWorker } from 'poolifier'

import square from './function.mjs'

export default new ThreadWorker(square)
