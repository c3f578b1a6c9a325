import { error, json } from '@sveltejs/kit'

import { isSize } from '$lib/board'
import { countSolutions } from '$lib/server/count'

export async function GET({ params }: { params: { size: string } }) {
  const size = Number(params.size)
  if (!isSize(size)) error(400, `A board of ${params.size} is not offered.`)
  return json(await countSolutions(size))
}
