/** What a look-up found: the value, or the right to put one there. */
export type CacheLookup = { value: string } | { lease: string }

/**
 * Forgetful by contract: an entry may vanish early, so a miss is never an error; a store that is away is a miss. An entry
 * never outlives its `ttlMs`.
 *
 * A miss hands out a lease. `put` keeps a value only under a lease that no `delete` has revoked since: a slow read that
 * missed before a write can never put back what the write has changed (Nishtala et al., "Scaling Memcache at Facebook", 3.2.1).
 */
export interface Cache {
  /** No promise where nothing has to be waited for: one more would be felt in what a cached read costs. */
  get(key: string): CacheLookup | Promise<CacheLookup>
  /** Does nothing when the lease was revoked, or was never given. */
  put(key: string, value: string, options: { lease: string; ttlMs: number }): Promise<void>
  /** Forgets the entries and revokes every lease on them. */
  delete(keys: readonly string[]): Promise<void>
}
