import { randomBytes } from 'node:crypto'

/** What names and marks the objects of one run. */
export interface RunIdentity {
  /** Ten random letters and digits. */
  readonly id: string
  /** Name of the anchor, and the start of all other names: `tl-<program>-<id>`. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

export const runLabel = 'turbolift.dev/run'
export const poolLabel = 'turbolift.dev/pool'
export const roleLabel = 'turbolift.dev/role'
/** Marks everything that turbolift makes: `app.kubernetes.io/managed-by=turbolift`. */
export const managedSelector = 'app.kubernetes.io/managed-by=turbolift'

export function createRunIdentity(program: string, labels: Readonly<Record<string, string>> = {}): RunIdentity {
  const id = randomBytes(10).reduce((text, byte) => text + alphabet.charAt(byte % alphabet.length), '')
  const slug = toSlug(program, 20)
  return {
    id,
    name: `tl-${slug}-${id}`,
    labels: {
      ...labels,
      'app.kubernetes.io/managed-by': 'turbolift',
      'app.kubernetes.io/name': slug,
      'turbolift.dev/program': slug,
      [runLabel]: id,
    },
  }
}

/** Any text → part of an object's name: small letters, digits and dashes. Different texts may give the same. */
export function toSlug(text: string, length: number): string {
  const slug = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, length)
  return slug.replaceAll(/^-+|-+$/g, '') || 'x'
}

/** Name of a pool's objects. */
export function toPoolName(run: RunIdentity, pool: string): string {
  return `${run.name}-${toSlug(pool, 20)}`
}

// Without vowels, so that no words appear.
const alphabet = 'bcdfghjklmnpqrstvwxyz0123456789'
