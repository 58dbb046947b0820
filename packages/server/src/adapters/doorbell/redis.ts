import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Doorbell } from '../../ports/doorbell.ts'
import { localDoorbell } from './local.ts'

export interface RedisDoorbellOptions {
  client: Redis
  subscriber: Redis
  channel: string
  /** Has each call bounded, and refused while Redis is away. */
  guard: <T>(call: () => Promise<T>) => Promise<T>
}

/**
 * Rings in every process that has the same channel; in this one at once, whatever becomes of the message. Rings while a message is
 * under way become one more: a thousand commits a second are no thousand messages.
 */
export function redisDoorbell({ client, subscriber, channel, guard }: RedisDoorbellOptions): Doorbell {
  const local = localDoorbell()
  const self = randomUUID()
  let isSending = false
  let isRungAgain = false

  // With each connection anew: what was lost while it was being subscribed would never be again.
  const subscribe = () => void subscriber.subscribe(channel).catch(() => {})
  subscriber.on('ready', subscribe)
  if (subscriber.status === 'ready') subscribe()
  subscriber.on('message', (from: string, sender: string) => {
    if (from === channel && sender !== self) local.ring()
  })

  function send(): void {
    if (isSending) {
      isRungAgain = true
      return
    }
    isSending = true
    guard(() => client.publish(channel, self))
      .catch(() => {}) // a lost ring costs a poll interval
      .finally(() => {
        isSending = false
        if (!isRungAgain) return
        isRungAgain = false
        send()
      })
  }
  return {
    ring() {
      local.ring()
      send()
    },
    wait: local.wait,
  }
}
