import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

const secretBytes = 32
const nonceBytes = 12
const tagBytes = 16
const cipher = 'aes-256-gcm'

/** 256 random bits, base64url: 43 characters. */
export function newRefreshToken(): string {
  return randomBytes(secretBytes).toString('base64url')
}

/** Whether it can be one of ours at all; what cannot is not looked up. */
export function isRefreshToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text)
}

/** What the database keeps. A plain hash will do: nobody guesses 256 random bits. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/**
 * Encrypts the successor of a spent token under that token. Who sends the spent one again at once can be given the same
 * answer; who reads the database can make nothing of it, since there the spent one is a hash.
 */
export function sealSuccessor(spentToken: string, successor: string): string {
  const nonce = randomBytes(nonceBytes)
  const sealing = createCipheriv(cipher, sealKey(spentToken), nonce)
  const sealed = Buffer.concat([sealing.update(successor, 'utf8'), sealing.final()])
  return Buffer.concat([nonce, sealed, sealing.getAuthTag()]).toString('base64url')
}

/** Throws when `sealed` was not sealed under this token, or has been changed since. */
export function openSuccessor(spentToken: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  const opening = createDecipheriv(cipher, sealKey(spentToken), bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  opening.setAuthTag(bytes.subarray(-tagBytes))
  return opening.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + opening.final('utf8')
}

/** RFC 5869. Not the token's hash: that is in the database, beside what is sealed. */
function sealKey(spentToken: string): Buffer {
  return Buffer.from(hkdfSync('sha256', spentToken, '', 'pinstack refresh token successor', 32))
}
