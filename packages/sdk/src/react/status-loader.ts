import type { Pinstack } from '../client.ts'
import type { RelationStatus } from '../procedures.ts'

export type StatusLoader = (userId: number) => Promise<RelationStatus>

/** What `relations.status` takes at once. */
const idsMax = 100

interface Waiting {
  userId: number
  resolve(status: RelationStatus): void
  reject(error: unknown): void
}

/** One call for all who ask at about the same time: a list of fifty people with a button each asks once and not fifty times. */
export function createStatusLoader(pinstack: Pinstack): StatusLoader {
  const waiting: Waiting[] = []

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, idsMax)
    if (batch.length === 0) return
    try {
      const statuses = await pinstack.relations.status([...new Set(batch.map(({ userId }) => userId))])
      const byId = new Map(statuses.map((status) => [status.userId, status]))
      for (const { userId, resolve } of batch) resolve(byId.get(userId) ?? { userId, following: false, followedBy: false })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return (userId) =>
    new Promise((resolve, reject) => {
      waiting.push({ userId, resolve, reject })
      if (waiting.length === 1) setTimeout(() => void flush(), 0)
      if (waiting.length === idsMax) void flush()
    })
}
