import { networkInterfaces } from 'node:os'

/** The addresses that this machine, or pod, is seen under by others, each as a network of one. */
export function toOwnAddresses(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const outer = addresses.filter(({ internal, scopeid }) => !internal && !scopeid)
  return outer.map(({ address, family }) => `${address}/${family === 'IPv6' ? 128 : 32}`)
}
