/** Export of a worker's side of a module: its lifted functions by path. */
export const LIFTED_EXPORT = '$lifted'
