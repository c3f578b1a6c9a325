// What generated code imports; not for people. The plugin writes, for a lifted function `square`:
//
//   import { createLiftedFunction as $lift } from 'turbolift/internal'
//   import { manifest as $manifest } from 'virtual:turbolift/manifest'
//   const square = /*@__PURE__*/ $lift($manifest, { id: 'src/main.ts#square', name: 'square', length: 1, pool: 'default', kind: 'call' })
//
// for one nested in another function, whose captures travel by value in front of the arguments:
//
//   const inner = /*@__PURE__*/ $lift($manifest, { … }, () => ({ k }))
//
// and for a declaration, which stays one, since it is there before its module has run:
//
//   function $lifted0() { return $lifted0.proxy ??= $lift($manifest, { … }, undefined, square); }
//   $lifted0();
//   async function square($0) { return await $lifted0()(...arguments); }
export { createLiftedFunction } from './call/proxy.ts'
export type { LiftedMeta } from './call/lifted.ts'
