import { countSolutions } from '$lib/server/count'

export const load = async () => ({ first: await countSolutions(8) })
