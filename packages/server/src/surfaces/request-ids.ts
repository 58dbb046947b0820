import { randomFillSync } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const idBytes = 15 // 20 characters of base64url, without padding
const idsAtOnce = 256

/** Names each request: as a proxy did, where that is fit for a log and a header, else by 120 random bits, drawn many at a time. */
export function requestIds(): (request: IncomingMessage) => string {
  const pool = Buffer.alloc(idBytes * idsAtOnce)
  let next = pool.length
  return ({ headers }) => {
    const given = headers['x-request-id']
    if (typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(given)) return given
    if (next === pool.length) {
      randomFillSync(pool)
      next = 0
    }
    return pool.toString('base64url', next, (next += idBytes))
  }
}
