import workerpool from 'workerpool'

import square from './function.mjs'

workerpool.worker({ square })
