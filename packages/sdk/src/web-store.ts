import { tabLock } from './lock.ts'
import { parseSession, type SessionStore } from './session.ts'
import { tabsOf } from './tabs.ts'

/** The part of `localStorage` and `sessionStorage` that is used. */
export interface WebStorage {
  /** What was put there; null for nothing. */
  getItem(key: string): string | null
  /** Replaces what was there. */
  setItem(key: string, value: string): void
  /** Leaves nothing there. */
  removeItem(key: string): void
}

/**
 * Keeps the session in a browser's storage: it outlives the page, and all tabs of the origin share it. They renew it once between
 * them, and each is told when another signs in or out.
 *
 * @NOTE any script on the page can read it. Serve no scripts that you do not trust.
 *
 * @example
 * ```ts
 * const pinstack = createPinstack({ url: 'https://api.example.com', store: webStore(localStorage) })
 * ```
 */
export function webStore(storage: WebStorage, key = 'pinstack.session'): SessionStore {
  return {
    load: () => parseSession(storage.getItem(key)),
    save: (session) => (session ? storage.setItem(key, JSON.stringify(session)) : storage.removeItem(key)),
    exclusive: tabLock(key, storage),
    ...tabsOf(key),
  }
}
