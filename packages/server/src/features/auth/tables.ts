import type { Generated } from 'kysely'
import type { Role } from '../../core/viewer.ts'

export interface AuthTables {
  /** This feature's columns of the user row. */
  user: {
    role: Generated<Role>
    /** Null for an account that nobody has shut out. Between the two times it is. */
    suspendedAt: string | null
    /** Null where there is no end to it. */
    suspendedUntil: string | null
    /** For the user, and for staff. */
    suspendedReason: string | null
  }
  /** The only place of a password hash: no row of a user that is read, cached or shown carries it. */
  credential: {
    userId: number
    passwordHash: string
    changedAt: string
  }
  /** A session that has ended has no row. */
  session: {
    /** 128 random bits, base64url. */
    id: string
    userId: number
    device: string
    address: string
    createdAt: string
    lastUsedAt: string
  }
  refreshToken: {
    /** SHA-256 of the token, base64url. */
    hash: string
    sessionId: string
    createdAt: string
    expiresAt: string
    /** Null until it was exchanged. */
    spentAt: string | null
    /** The token that it was exchanged for, encrypted under this one; kept while the same answer may be asked for again. */
    sealedSuccessor: string | null
  }
  /** Proofs that whoever holds one has seen the first start of this server. */
  setupToken: { hash: string; expiresAt: string }
}
