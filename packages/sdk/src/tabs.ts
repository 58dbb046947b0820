import { parseSession, type Announcement, type SessionStore } from './session.ts'

/** `BroadcastChannel`, which all browsers of today, Node, Deno and Bun have. */
interface Channel {
  postMessage(message: unknown): void
  close(): void
  onmessage: ((event: { data: unknown }) => void) | null
  /** Node's: it does not keep the process alive. */
  unref?(): void
}

interface StorageChange {
  key: string | null
  oldValue: string | null
  newValue: string | null
}

interface Tab {
  BroadcastChannel?: new (name: string) => Channel
  addEventListener?(type: 'storage', listener: (event: StorageChange) => void): void
  removeEventListener?(type: 'storage', listener: (event: StorageChange) => void): void
}

/**
 * How the tabs that share a store tell each other of sign-ins and sign-outs: by `BroadcastChannel`; where there is none, by what the
 * browser tells of changes to the storage.
 */
export function tabsOf(name: string): Required<Pick<SessionStore, 'announce' | 'subscribe'>> {
  const tab = globalThis as unknown as Tab
  return {
    announce(announcement) {
      if (!tab.BroadcastChannel) return // the storage tells
      const channel = new tab.BroadcastChannel(name)
      channel.postMessage(announcement)
      channel.close()
    },
    subscribe(listener) {
      if (!tab.BroadcastChannel) return subscribeToStorage(tab, name, listener)
      const channel = new tab.BroadcastChannel(name)
      channel.onmessage = ({ data }) => listener(data as Announcement)
      channel.unref?.()
      return () => channel.close()
    },
  }
}

/** Only of other tabs. A renewal changes the tokens of a session, and is nothing to tell. */
function subscribeToStorage(tab: Tab, name: string, listener: (announcement: Announcement) => void): () => void {
  const hear = ({ key, oldValue, newValue }: StorageChange) => {
    if (key !== name && key !== null) return // null: all of it was cleared
    const [before, after] = [parseSession(oldValue), parseSession(newValue)]
    if (key !== null && before?.sessionId === after?.sessionId) return
    listener({
      from: '',
      change: after
        ? { state: 'signed_in', userId: after.userId, sessionId: after.sessionId }
        : { state: 'signed_out', reason: 'elsewhere' },
    })
  }
  tab.addEventListener?.('storage', hear)
  return () => tab.removeEventListener?.('storage', hear)
}
