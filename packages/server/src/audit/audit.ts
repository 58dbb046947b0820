import { isoTime } from '../core/time.ts'
import type { Clock } from '../ports/clock.ts'
import { query } from '../query.ts'
import type { Db, Tx } from '../schema.ts'

/** Who does an admin action: a signed-in user, or whoever may run commands on the host. */
export type Actor = { kind: 'user'; id: number; address: string } | { kind: 'host' }

export interface AuditEntry {
  actor: Actor
  /** `role.grant`, `user.delete`: the feature's noun, then what was done to it. */
  action: string
  target: { type: string; id: string | number }
  /** Plain JSON; never personal data, secrets or tokens. */
  detail?: Record<string, string | number | null>
}

/** Notes an admin action in the transaction that does it. */
export type RecordAudit = (tx: Tx, entry: AuditEntry) => Promise<void>

export function createRecordAudit(clock: Clock): RecordAudit {
  return async (tx, { actor, action, target, detail }) => {
    await insertAudit.run(tx, {
      actorId: actor.kind === 'user' ? actor.id : null,
      actor: actor.kind,
      action,
      targetType: target.type,
      targetId: String(target.id),
      detail: detail ? JSON.stringify(detail) : null,
      address: actor.kind === 'user' ? actor.address : null,
      createdAt: isoTime(clock.nowMs()),
    })
  }
}

type Row = {
  actorId: number | null
  actor: 'user' | 'host'
  action: string
  targetType: string
  targetId: string
  detail: string | null
  address: string | null
  createdAt: string
}

const insertAudit = query<Row>()((tx: Tx, { actorId, actor, action, targetType, targetId, detail, address, createdAt }) =>
  tx.insertInto('audit').values({ actorId, actor, action, targetType, targetId, detail, address, createdAt }),
)

/** Newest first, before the entry `beforeId`. */
export function listAudit(db: Db, { beforeId = Number.MAX_SAFE_INTEGER, limit = 100 } = {}) {
  return selectAudit.all(db, { beforeId, limit })
}

const selectAudit = query<{ beforeId: number; limit: number }>()((db: Db, { beforeId, limit }) =>
  db.selectFrom('audit').where('id', '<', beforeId).orderBy('id', 'desc').limit(limit).selectAll(),
)
