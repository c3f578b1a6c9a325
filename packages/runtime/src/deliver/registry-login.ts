import { randomBytes } from 'node:crypto'

import type { V1ObjectMeta, V1Secret } from '@kubernetes/client-node'

import type { Credentials } from './registry-auth.ts'

/** Key of the Secret under which the registry finds who may come in. */
export const USERS_FILE = 'htpasswd'

const USERNAME = 'turbolift'
/** The lowest: hashing slowly protects passwords that people choose, and would slow down each request here. */
const ROUNDS = 4

export function createLogin(): Credentials {
  return { username: USERNAME, password: randomBytes(32).toString('base64url') }
}

/** The login as the registry reads it, and for a registry that stays also as programs do. */
export async function toLoginSecret(
  metadata: V1ObjectMeta,
  login: Credentials,
  { isKept }: { readonly isKept: boolean },
): Promise<V1Secret> {
  const { hash } = await import('./bcrypt.ts')
  const { username, password } = login
  const users = `${username}:${await hash(password, ROUNDS)}\n`
  const stringData = { [USERS_FILE]: users, ...(isKept ? { username, password } : {}) }
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', stringData }
}

/** The login in a Secret as the API server answers it; `undefined` where it holds none. */
export function readLogin(secret: V1Secret | undefined): Credentials | undefined {
  const [username, password] = ['username', 'password'].map((key) => decode(secret?.data?.[key]))
  return username === undefined || password === undefined ? undefined : { username, password }
}

function decode(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'base64').toString()
}
