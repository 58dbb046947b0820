import { tabLock } from './lock.ts'
import { parseSession, type SessionStore } from './session.ts'
import { tabsOf } from './tabs.ts'

/** The part of React Native's `AsyncStorage` that is used. `localforage` has it, too. */
export interface AsyncStorage {
  /** What was put there; null for nothing. */
  getItem(key: string): Promise<string | null>
  /** Replaces what was there. */
  setItem(key: string, value: string): Promise<unknown>
  /** Leaves nothing there. */
  removeItem(key: string): Promise<unknown>
}

/**
 * Keeps the session in a storage that answers later: React Native's `AsyncStorage`, a keychain, IndexedDB. What it holds is about
 * 700 characters long.
 *
 * @example
 * ```ts
 * // AsyncStorage is what `@react-native-async-storage/async-storage` exports
 * const pinstack = createPinstack({ url: 'https://api.example.com', store: asyncStore(AsyncStorage) })
 * ```
 *
 * @example
 * In the device's keychain, which other apps cannot read (`expo-secure-store`; its keys have no dots):
 *
 * ```ts
 * const keychain = { getItem: getItemAsync, setItem: setItemAsync, removeItem: deleteItemAsync }
 * const pinstack = createPinstack({ url: 'https://api.example.com', store: asyncStore(keychain, 'session') })
 * ```
 */
export function asyncStore(storage: AsyncStorage, key = 'pinstack.session'): SessionStore {
  return {
    load: async () => parseSession(await storage.getItem(key)),
    async save(session) {
      await (session ? storage.setItem(key, JSON.stringify(session)) : storage.removeItem(key))
    },
    exclusive: tabLock(key),
    ...tabsOf(key),
  }
}
