/** A pool of workers that runs `square`, each with the settings that its makers chose, except for its size. */
export interface Contender extends AsyncDisposable {
  readonly name: string
  call(n: number): Promise<number>
}

/** Workers are plain modules that no bundler touches; the benchmark is started in its package's folder. */
export function workerPath(name: string): string {
  return `${process.cwd()}/workers/${name}.mjs`
}
