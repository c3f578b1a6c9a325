import { stringify } from 'yaml'

/** Objects as one YAML stream, written out in full: shared parts become no anchors and aliases. */
export function toYaml(objects: readonly object[]): string {
  return objects
    .map((object) => stringify(object, { aliasDuplicateObjects: false }))
    .join('---\n')
    .trimEnd()
}
