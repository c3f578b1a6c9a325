import { expose } from 'threads/worker'

import square from './function.mjs'

expose({ square })
