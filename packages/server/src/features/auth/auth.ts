import { defineErrors } from '../../core/errors.ts'

/** What a sign-in gives to a client. Both are bearer tokens: whoever has one is its user. */
export interface TokenPair {
  /** JWT, for the `Authorization` header. */
  accessToken: string
  /** Opaque, used once: it is exchanged for the next pair. */
  refreshToken: string
  /** ISO-8601; when the access token ends. */
  accessExpiresAt: string
}

/** One sign-in, on one device, and all that was refreshed from it. */
export interface Session {
  /** Opaque, 128 bits. It opens nothing, but names the session in access tokens and events. */
  id: string
  /** The user agent that signed in. */
  device: string
  address: string
  createdAt: string
  /** When it signed in or refreshed last. */
  lastUsedAt: string
}

/** Why a session ended: signed out; ended from another session or by an admin; a spent refresh token came back; the password changed; there were too many. */
export type SessionEnd = 'logout' | 'revoked' | 'reuse' | 'password' | 'pruned'

/** An account that is shut out, by an admin. */
export interface Suspension {
  at: string
  /** Null where there is no end to it. */
  until: string | null
  reason: string
}

export interface AuthEvents {
  session_revoked: { user_id: number; session_id: string; reason: SessionEnd }
  /** Why is nobody's business but the user's, and staff's. */
  user_suspended: { user_id: number; until: string | null }
  /** Before its end, by an admin; of an end that comes by itself there is no event. */
  user_restored: { user_id: number }
}

export const authErrors = defineErrors('auth', {
  invalid_credentials: ['unauthenticated', 'invalid credentials'],
  invalid_refresh_token: ['unauthenticated', 'invalid refresh token'],
  session_not_found: ['not_found', 'session not found'],
  invalid_setup_token: ['unauthenticated', 'invalid setup token'],
  setup_done: ['conflict', 'there is an admin already'],
  busy: ['unavailable', 'service unavailable'],
})

/** How far the clocks of two machines may disagree; REST-V1 1.10. */
export const clockSkewMs = 5_000
/** A refresh token that is spent gives the same answer again for so long: tabs of one browser race each other, and answers get lost. */
export const graceMs = 10_000
/** Then the one that was not used for longest ends at the next sign-in. People have a handful; a script that signs in anew each time has no end of them. */
export const sessionsMax = 100
/** How long what has expired is still told apart from what never was. */
export const keepExpiredMs = 7 * 86_400_000
export const setupTokenTtlMs = 86_400_000
/** Other processes see the end of a session, and a change of role, within this and a query; the one that does it, at once. A second in all. */
export const viewerTtlMs = 800
