import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import * as z from 'zod'
import { viewerErrors } from '../../core/viewer.ts'
import type { Clock } from '../../ports/clock.ts'
import { clockSkewMs } from './auth.ts'
import type { Keyring, VerifyingKey } from './keys.ts'

/** Tokens that were verified before. A verification costs 100-200 µs, and each client sends the same token for 15 minutes. */
const verifiedMax = 10_000
/** Ours have about 350 characters. */
const tokenCharsMax = 4_096

export interface AccessTokenSettings {
  accessTtlMs: number
  issuer: string
  audience: string
}

export interface AccessClaims {
  userId: number
  sessionId: string
}

export interface AccessTokens {
  /** The same claims at the same time under the same key give the same bytes. */
  sign(claims: AccessClaims & { issuedMs: number }): Promise<{ token: string; expiresMs: number }>
  /** Rejects with one of `viewerErrors`. What it returns was signed here; whether the session still lives, it does not ask. */
  verify(token: string): Promise<AccessClaims>
}

/** JWTs with the claims of REST-V1 0.4, read as its table 1.10 says. */
export function createAccessTokens({
  keys,
  clock,
  settings,
}: {
  keys: Keyring
  clock: Clock
  settings: AccessTokenSettings
}): AccessTokens {
  const { accessTtlMs, issuer, audience } = settings
  const verified = new LRUCache<string, { claims: AccessClaims; endsMs: number; key: VerifyingKey }>({ max: verifiedMax })

  async function verifyAnew(token: string): Promise<AccessClaims> {
    const { kid, alg } = readUnverified(token)
    const key = kid === undefined ? undefined : await keys.verifyingKey(kid)
    if (!key || alg !== key.alg) throw viewerErrors.unauthenticated()
    const payload = await verifySignature(token, key)
    const { user_id: userId, sid: sessionId, exp } = claimsSchema.parse(payload)
    if (userId == null || sessionId == null) throw viewerErrors.unauthenticated()
    const claims = { userId, sessionId }
    verified.set(token, { claims, endsMs: exp == null ? Infinity : exp * 1000 + clockSkewMs, key })
    return claims
  }

  async function verifySignature(token: string, key: VerifyingKey) {
    const options = { algorithms: [key.alg], issuer, audience, clockTolerance: clockSkewMs / 1000, currentDate: new Date(clock.nowMs()) }
    try {
      return (await jwtVerify(token, key.key, options)).payload
    } catch (cause) {
      if (cause instanceof errors.JWTExpired) throw viewerErrors.token_expired({ cause })
      if (cause instanceof errors.JOSEError) throw viewerErrors.unauthenticated({ cause })
      throw cause
    }
  }

  return {
    async sign({ userId, sessionId, issuedMs }) {
      const { kid, alg, key } = keys.signingKey()
      const issuedSeconds = Math.floor(issuedMs / 1000)
      const expiresSeconds = issuedSeconds + Math.ceil(accessTtlMs / 1000)
      const token = await new SignJWT({ user_id: userId, sid: sessionId })
        .setProtectedHeader({ alg, kid, typ: 'JWT' })
        .setSubject(String(userId))
        .setIssuedAt(issuedSeconds)
        .setExpirationTime(expiresSeconds)
        .setIssuer(issuer)
        .setAudience(audience)
        .sign(key)
      return { token, expiresMs: expiresSeconds * 1000 }
    },

    async verify(token) {
      const known = verified.get(token)
      // The key is asked for again: one that was taken out of use takes its tokens along.
      if (!known || (await keys.verifyingKey(known.key.kid))?.key !== known.key.key) return verifyAnew(token)
      if (clock.nowMs() >= known.endsMs) throw viewerErrors.token_expired()
      return known.claims
    },
  }
}

const text = z.string().nullish()
const headerSchema = z.object({ alg: text, kid: text })
const claimsSchema = z.object({
  user_id: z.int().nullish(),
  sid: text,
  sub: text,
  iss: text,
  jti: text,
  aud: z.union([z.string(), z.array(z.string())]).nullish(),
  exp: z.number().nullish(),
  nbf: z.number().nullish(),
  iat: z.number().nullish(),
})

/** What cannot be read is `invalid token`, whoever signed it: v1 looks at the form of the claims before the signature. */
function readUnverified(token: string): { alg: string | undefined; kid: string | undefined } {
  const parts = token.split('.')
  if (token.length > tokenCharsMax || parts.length !== 3 || !parts.every((part) => /^[\w-]*$/.test(part)))
    throw viewerErrors.invalid_token()
  let header: unknown
  let claims: unknown
  try {
    header = decodeProtectedHeader(token)
    claims = decodeJwt(token)
  } catch (cause) {
    throw viewerErrors.invalid_token({ cause })
  }
  const read = headerSchema.safeParse(header)
  if (!read.success || !claimsSchema.safeParse(claims).success) throw viewerErrors.invalid_token()
  return { alg: read.data.alg ?? undefined, kid: read.data.kid ?? undefined }
}
