import { defineErrors } from './errors.ts'

export const roles = ['user', 'moderator', 'admin'] as const
export type Role = (typeof roles)[number]

/** Whether `role` may do what `needed` may: each role may do what those before it may. */
export function hasRole(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed)
}

/** The user who sends a request, and the session that the request belongs to. */
export interface Viewer {
  id: number
  role: Role
  sessionId: string
}

/** Rejects with one of `viewerErrors` when the token stands for nobody. */
export type Authenticate = (token: string) => Promise<Viewer>

export const viewerErrors = defineErrors('auth', {
  unauthenticated: ['unauthenticated', 'unauthenticated'],
  invalid_token: ['unauthenticated', 'invalid token'],
  token_expired: ['unauthenticated', 'token expired'],
  forbidden: ['forbidden', 'forbidden'],
  suspended: ['forbidden', 'account suspended'],
})

/** Takes the token from an `Authorization` header: the word `Bearer`, one blank, one token, and nothing else. */
export function bearerToken(header: string | undefined): string {
  if (!header) throw viewerErrors.unauthenticated()
  const token = /^Bearer (\S+)$/.exec(header)?.[1]
  if (!token) throw viewerErrors.invalid_token()
  return token
}
