/** Draws a bar on a terminal, in place; writes nothing into pipes and files. */
export function showProgress(done: number, total: number): void {
  if (!process.stderr.isTTY) return
  const width = 40
  const filled = Math.floor((done / total) * width)
  const bar = '█'.repeat(filled) + '░'.repeat(width - filled)
  process.stderr.write(
    `\r${bar} ${String(Math.floor((done / total) * 100)).padStart(3)} %${done === total ? '\n' : ''}`,
  )
}
