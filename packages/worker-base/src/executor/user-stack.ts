import { fileURLToPath } from 'node:url'

const CONTEXT_FRAME = 'at AsyncLocalStorage.run (node:async_hooks'

/**
 * Makes a stack what the author of the code knows: without the frames of the executor, and with sources named from the
 * program's root (`src/main.ts:5:9`). The message in front of the frames stays as it is.
 * @param folder URL of the folder that the worker's code was extracted to, with a slash at its end
 * @param executor URL of the executor program, whose frames tell the user nothing
 */
export function createStackMap(folder: string, executor: string = import.meta.url): (stack: string) => string {
  const hidden = [executor, fileURLToPath(executor), CONTEXT_FRAME]
  const toOwn = (line: string): string | undefined => {
    if (!/^\s+at /.test(line)) return line
    return hidden.some((text) => line.includes(text)) ? undefined : fromRoot(line, folder)
  }
  return (stack) =>
    stack
      .split('\n')
      .map(toOwn)
      .filter((line) => line !== undefined)
      .join('\n')
}

/** Source maps name sources beside the chunk, which is not where they are. */
function fromRoot(line: string, folder: string): string {
  const paths = [`${folder}chunks/`, folder, fileURLToPath(`${folder}chunks/`), fileURLToPath(folder)]
  return paths.reduce((text, path) => text.replaceAll(path, ''), line)
}
