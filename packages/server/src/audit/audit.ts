import { toPage } from '../core/page.ts'
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

/** Which entries of the trail; all that are given have to be so. */
export interface AuditFilter {
  actorId?: number | undefined
  actor?: 'user' | 'host' | undefined
  action?: string | undefined
  targetType?: string | undefined
  targetId?: string | undefined
  /** ISO-8601; the first is part of it, the second not. */
  since?: string | undefined
  until?: string | undefined
  /** The id that the page before ended with. */
  cursor?: number | undefined
  limit?: number | undefined
}

export interface ListedEntry {
  id: number
  /** Null for the host. */
  actorId: number | null
  actor: 'user' | 'host'
  action: string
  targetType: string
  targetId: string
  detail: Record<string, string | number | null> | null
  address: string | null
  createdAt: string
}

export interface AuditPage {
  items: ListedEntry[]
  nextCursor: number | null
}

const limitDefault = 100
/** How far the clocks of two processes may be apart: the order of the ids and that of the times differ by no more. */
const slackMs = 60_000

/** The newest first. Built each time: which filters there are differs, and each has an index that ends with the id. */
export async function listAudit(db: Db, filter: AuditFilter = {}): Promise<AuditPage> {
  const { actorId, actor, action, targetType, targetId, since, until, cursor, limit = limitDefault } = filter
  const [from, to] = await Promise.all([boundOf(db, since, -slackMs), boundOf(db, until, slackMs)])
  if (since !== undefined && from === undefined) return { items: [], nextCursor: null }
  const below = Math.min(cursor ?? Number.MAX_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER)
  let found = db
    .selectFrom('audit')
    .where('id', '<', below)
    .orderBy('id', 'desc')
    .limit(limit + 1)
  if (from !== undefined) found = found.where('id', '>=', from)
  if (since !== undefined) found = found.where('createdAt', '>=', since)
  if (until !== undefined) found = found.where('createdAt', '<', until)
  if (actorId !== undefined) found = found.where('actorId', '=', actorId)
  if (actor !== undefined) found = found.where('actor', '=', actor)
  if (action !== undefined) found = found.where('action', '=', action)
  if (targetType !== undefined) found = found.where('targetType', '=', targetType)
  if (targetId !== undefined) found = found.where('targetId', '=', targetId)
  const { items, nextCursor } = toPage(await found.selectAll().execute(), limit)
  return { items: items.map(({ detail, ...entry }) => ({ ...entry, detail: detail === null ? null : JSON.parse(detail) })), nextCursor }
}

/** All that the filter lets through, the newest first, a page at a time: it may be long. */
export async function* exportAudit(db: Db, filter: AuditFilter): AsyncGenerator<ListedEntry, void> {
  for (let cursor = filter.cursor; ; ) {
    const { items, nextCursor } = await listAudit(db, { ...filter, cursor, limit: exportPage })
    yield* items
    if (nextCursor === null) return
    cursor = nextCursor
  }
}

const exportPage = 500

/** The first id from that time on: so a time is a place in the order of the ids, found by an index. */
async function boundOf(db: Db, time: string | undefined, slack: number): Promise<number | undefined> {
  if (time === undefined) return
  return (await selectFirstSince.first(db, { time: isoTime(Date.parse(time) + slack) }))?.id
}

const selectFirstSince = query<{ time: string }>()((db: Db, { time }) =>
  db.selectFrom('audit').where('createdAt', '>=', time).orderBy('createdAt').orderBy('id').limit(1).select('id'),
)
