import { createHash, timingSafeEqual } from 'node:crypto'

/** Tells whether an `Authorization` header holds the token, in a time that does not depend on what is wrong. */
export type TokenCheck = (authorization: string | null | undefined) => boolean

export function createTokenCheck(token: string): TokenCheck {
  const expected = digest(`Bearer ${token}`)
  return (authorization) => timingSafeEqual(digest(authorization ?? ''), expected)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
