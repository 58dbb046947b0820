import type { Generated } from 'kysely'

export interface AuditTables {
  audit: {
    id: Generated<number>
    /** Null when it was done on the host, by whoever may run the command line there. */
    actorId: number | null
    /** `user` or `host`. */
    actor: 'user' | 'host'
    action: string
    targetType: string
    targetId: string
    /** JSON; never personal data, secrets or tokens. */
    detail: string | null
    address: string | null
    createdAt: string
  }
}
