import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'
import { LRUCache } from 'lru-cache'
import { isoTime } from '../../core/time.ts'
import type { Clock } from '../../ports/clock.ts'
import { clockSkewMs } from './auth.ts'
import { alg, keySchema, makeKeys, readKeys, versionOf, warnWhenOpen, whileLocked, writeKeys, type StoredKey } from './key-store.ts'
import type { Keyring, SigningKey, VerifyingKey } from './keys.ts'

/** How often a running server looks whether the file has changed, so that it signs with the new key soon after a rotation. */
const watchMs = 5_000
/** A kid that is unknown may be of a key that another process has just made; whoever makes kids up must not cause more than this. */
const reloadMsMin = 1_000

export interface KeyFileOptions {
  path: string
  clock: Clock
  /** A retired key verifies until the last token that it signed has expired. */
  accessTtlMs: number
}

/**
 * Opens the Ed25519 keys in `path`, and makes a first one where there is no file. Throws StartError when the file cannot
 * be read or made. Later changes of the file are picked up; one that cannot be read is reported, and the keys stay as they are.
 */
export async function openKeyFile(
  options: KeyFileOptions & { warn(message: string, fields: Record<string, unknown>): void },
): Promise<Keyring> {
  const { path, clock, warn } = options
  await makeKeys(path, async () => [await newKey(clock)])
  let { stored, version } = await readKeys(path)
  await warnWhenOpen(path, warn)
  let checkedMs = -Infinity
  const imported = new LRUCache<string, Promise<CryptoKey>>({ max: 100 })
  const keyOf = (jwk: StoredKey, half: 'private' | 'public') => {
    const name = `${half} ${jwk.kid}`
    let key = imported.get(name)
    if (!key) imported.set(name, (key = importHalf(jwk, half)))
    return key
  }
  let signing: SigningKey = await signingKeyOf(stored)

  async function signingKeyOf(keys: StoredKey[]): Promise<SigningKey> {
    const newest = keys.find(({ retiredAt }) => !retiredAt)!
    return { kid: newest.kid, alg, key: await keyOf(newest, 'private') }
  }
  async function reload(): Promise<void> {
    const read = await readKeys(path)
    signing = await signingKeyOf(read.stored)
    ;({ stored, version } = read)
  }
  async function reloadWhenChanged(): Promise<void> {
    try {
      if ((await versionOf(path)) !== version) await reload()
    } catch (error) {
      warn('the key file cannot be read; the keys in use stay', { path, err: error })
    }
  }
  const timer = setInterval(reloadWhenChanged, watchMs).unref()

  return {
    signingKey: () => signing,
    async verifyingKey(kid): Promise<VerifyingKey | undefined> {
      const find = () => stored.find((key) => key.kid === kid)
      if (!find() && clock.nowMs() - checkedMs >= reloadMsMin) {
        checkedMs = clock.nowMs()
        await reloadWhenChanged()
      }
      const found = find()
      return found && !isOver(found, options) ? { kid, alg, key: await keyOf(found, 'public') } : undefined
    },
    signingKeyMadeAt: () => stored.find(({ retiredAt }) => !retiredAt)!.createdAt,
    close: () => clearInterval(timer),
  }
}

export interface Rotation {
  kid: string
  retiredKid: string
  /** Keys that had been retired for so long that they are gone now. */
  droppedKids: string[]
}

/** Makes a new key that signs from now on, and retires the one before. Throws StartError when the file cannot be read or written. */
export async function rotateKeyFile(options: KeyFileOptions): Promise<Rotation> {
  const { path, clock } = options
  return whileLocked(path, async () => {
    const { stored } = await readKeys(path)
    const now = isoTime(clock.nowMs())
    const retired = stored.find(({ retiredAt }) => !retiredAt)!
    const fresh = await newKey(clock)
    const kept = stored.filter((key) => !isOver(key, options)).map((key) => ({ ...key, retiredAt: key.retiredAt ?? now }))
    await writeKeys(path, [fresh, ...kept])
    const droppedKids = stored.filter((key) => isOver(key, options)).map(({ kid }) => kid)
    return { kid: fresh.kid, retiredKid: retired.kid, droppedKids }
  })
}

/** @NOTE a server signs with the old key until it looks at the file again, so the time between two looks counts as well. */
function isOver({ retiredAt }: StoredKey, { clock, accessTtlMs }: KeyFileOptions): boolean {
  return retiredAt !== undefined && clock.nowMs() > Date.parse(retiredAt) + accessTtlMs + clockSkewMs + watchMs
}

async function newKey(clock: Clock): Promise<StoredKey> {
  const { privateKey } = await generateKeyPair(alg, { crv: 'Ed25519', extractable: true })
  const jwk = await exportJWK(privateKey)
  return keySchema.parse({ ...jwk, kid: await calculateJwkThumbprint(jwk), createdAt: isoTime(clock.nowMs()) })
}

function importHalf({ kty, crv, x, d }: StoredKey, half: 'private' | 'public'): Promise<CryptoKey> {
  const jwk: JWK = half === 'private' ? { kty, crv, x, d } : { kty, crv, x }
  return importJWK(jwk, alg) as Promise<CryptoKey>
}
