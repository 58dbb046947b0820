import type { LiveStatus, LiveStream } from '../live.ts'

/** One stream for all components of a page that want it: a browser has six connections to a server, over HTTP/1.1. */
export interface SharedStream<Item> {
  status(): LiveStatus
  onStatus(listener: () => void): () => void
  /** Keeps the stream open until what it returns is called. */
  listen(listener: (item: Item) => void): () => void
}

interface SharedStreamOptions<Item> {
  open(onStatus: (status: LiveStatus) => void): LiveStream<Item>
  /** Hears each item once, before the listeners do. */
  onItem(item: Item): void
  /** Nothing is missed from here on. Told when the stream opens, and not when it comes back: then it goes on where it was. */
  onBegin(): void
}

const idle: LiveStatus = { state: 'closed', error: null }

/**
 * @NOTE it opens and closes a microtask late: StrictMode takes each component off the page and puts it back in one go, and a list that
 * is replaced by another does so too. Neither is worth a connection.
 */
export function shareStream<Item>({ open, onItem, onBegin }: SharedStreamOptions<Item>): SharedStream<Item> {
  const listeners = new Set<(item: Item) => void>()
  const statusListeners = new Set<() => void>()
  let status = idle
  let stop: (() => void) | undefined

  function begin(): void {
    let begun = false
    const stream = open((next) => {
      if (stop !== end) return // of a stream that was left
      status = next
      for (const listener of statusListeners) listener()
      if (next.state !== 'live' || begun) return
      begun = true
      onBegin()
    })
    let leave = () => {}
    const end = () => leave()
    stop = end
    leave = stream.listen(
      (item) => {
        onItem(item)
        for (const listener of listeners) listener(item)
      },
      () => {}, // `status` has said so
    )
  }

  function settle(): void {
    queueMicrotask(() => {
      if (listeners.size > 0 && !stop) begin()
      if (listeners.size > 0 || !stop) return
      stop()
      stop = undefined
      status = idle
    })
  }

  return {
    status: () => status,
    onStatus(listener) {
      statusListeners.add(listener)
      return () => void statusListeners.delete(listener)
    },
    listen(listener) {
      const own = (item: Item) => listener(item) // the same function may listen twice
      listeners.add(own)
      settle()
      return () => {
        if (listeners.delete(own)) settle()
      }
    },
  }
}
