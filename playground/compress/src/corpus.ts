import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface CorpusText {
  readonly name: string
  readonly text: string
}

const SMALLEST_BYTES = 10_000
const LARGEST_BYTES = 1_000_000

/** The profile of each country, and that of each region as one text: all from 10 KB to 1 MB, in a fixed order. */
export async function readCorpus(folder: string): Promise<CorpusText[]> {
  const texts: CorpusText[] = []
  for (const region of await sortedNames(folder)) {
    if (!region.isDirectory()) continue
    const countries = await readCountries(join(folder, region.name), region.name)
    texts.push(...countries, { name: region.name, text: countries.map(({ text }) => text).join('\n') })
  }
  return texts.filter(({ text }) => text.length >= SMALLEST_BYTES && text.length <= LARGEST_BYTES)
}

async function readCountries(folder: string, region: string): Promise<CorpusText[]> {
  const files = (await sortedNames(folder)).filter(({ name }) => name.endsWith('.json'))
  const read = async (name: string) => ({ name: `${region}/${name}`, text: await readFile(join(folder, name), 'utf8') })
  return await Promise.all(files.map(({ name }) => read(name)))
}

async function sortedNames(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
