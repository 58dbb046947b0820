import { randomUUID } from 'node:crypto'
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'
import { LRUCache } from 'lru-cache'
import * as z from 'zod'
import { makeFolders } from '../../core/folders.ts'
import { isoTime } from '../../core/time.ts'
import type { Clock } from '../../ports/clock.ts'
import { StartError } from '../../core/start-error.ts'
import { clockSkewMs } from './auth.ts'
import type { Keyring, SigningKey, VerifyingKey } from './keys.ts'

/** How often a running server looks whether the file has changed, so that it signs with the new key soon after a rotation. */
const watchMs = 5_000
/** A kid that is unknown may be of a key that another process has just made; whoever makes kids up must not cause more than this. */
const reloadMsMin = 1_000
/** A rotation is over in milliseconds. What is older than this was cut short. */
const rotationMsMax = 60_000
const alg = 'EdDSA'

export interface KeyFileOptions {
  path: string
  clock: Clock
  /** A retired key verifies until the last token that it signed has expired. */
  accessTtlMs: number
}

const keySchema = z.object({
  kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string(), kid: z.string().min(1),
  createdAt: z.iso.datetime(), retiredAt: z.iso.datetime().optional(),
})
/** A JWK set (RFC 7517), the newest key first. `createdAt` and `retiredAt` are ours. */
const fileSchema = z.object({ keys: z.array(keySchema).max(100) })
type StoredKey = z.output<typeof keySchema>

/**
 * Opens the Ed25519 keys in `path`, and makes a first one where there is no file. Throws StartError when the file cannot
 * be read or made. Later changes of the file are picked up; one that cannot be read is reported, and the keys stay as they are.
 */
export async function openKeyFile(options: KeyFileOptions & { warn(message: string, fields: Record<string, unknown>): void }): Promise<Keyring> {
  const { path, clock, warn } = options
  await makeFirstKey(options)
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
  return whileLocked(`${path}.lock`, async () => {
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

async function readKeys(path: string): Promise<{ stored: StoredKey[]; version: string }> {
  const refuse = (what: string, cause?: unknown) => new StartError(`The key file ${path} ${what}.`, { cause })
  let text: string
  let version: string
  try {
    version = await versionOf(path) // @NOTE before the content: a change in between is read again, never missed
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw refuse(`cannot be read: ${(error as Error).message}`, error)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw refuse('is not JSON; restore it from a backup, or remove it to sign everyone out')
  }
  const { data } = fileSchema.safeParse(json)
  if (!data) throw refuse('does not have the form of a key file; restore it from a backup, or remove it to sign everyone out')
  if (!data.keys.some(({ retiredAt }) => !retiredAt)) throw refuse('has no key that is not retired')
  return { stored: data.keys, version }
}

/** @NOTE the time alone will not do: file systems count it in steps of some milliseconds. A rotation makes a new inode. */
async function versionOf(path: string): Promise<string> {
  const { mtimeMs, ino, size } = await stat(path)
  return `${mtimeMs} ${ino} ${size}`
}

/** Of several servers that start together on a new folder one makes the key; the others take it. */
async function makeFirstKey({ path, clock }: KeyFileOptions): Promise<void> {
  try {
    await stat(path)
    return
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw new StartError(`The key file ${path} cannot be read: ${(error as Error).message}.`, { cause: error })
  }
  try {
    makeFolders(dirname(path))
    await placeFile(path, toText([await newKey(clock)]), async (temporary) => {
      await link(temporary, path) // unlike a rename it does not replace what another server was faster to make
      await rm(temporary)
    })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw new StartError(`The key file ${path} cannot be made: ${(error as Error).message}.`, { cause: error })
  }
}

async function writeKeys(path: string, keys: StoredKey[]): Promise<void> {
  try {
    await placeFile(path, toText(keys), (temporary) => rename(temporary, path))
  } catch (error) {
    throw new StartError(`The key file ${path} cannot be written: ${(error as Error).message}.`, { cause: error })
  }
}

function toText(keys: StoredKey[]): string {
  return `${JSON.stringify({ keys: keys.map((key) => ({ ...key, alg, use: 'sig' })) }, null, 2)}\n`
}

/** Readers see the old content or the new, never half of one, also after a power cut. */
async function placeFile(path: string, text: string, place: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await place(temporary)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  const folder = await open(dirname(path), 'r').catch(() => undefined) // not every system can open one
  await folder?.sync().catch(() => {})
  await folder?.close()
}

/** Two rotations at once would each drop the other's key. */
async function whileLocked<T>(lockPath: string, work: () => Promise<T>): Promise<T> {
  const since = await stat(lockPath).catch(() => undefined)
  if (since && Date.now() - since.mtimeMs > rotationMsMax) await rm(lockPath, { force: true })
  try {
    await (await open(lockPath, 'wx', 0o600)).close()
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw new StartError(`Another rotation of the keys is under way: ${lockPath} exists.`, { cause: error })
    throw new StartError(`The key file cannot be written: ${(error as Error).message}.`, { cause: error })
  }
  try {
    return await work()
  } finally {
    await rm(lockPath, { force: true })
  }
}

async function warnWhenOpen(path: string, warn: (message: string, fields: Record<string, unknown>) => void): Promise<void> {
  const { mode } = await stat(path)
  if (process.platform !== 'win32' && mode & 0o004) warn('the key file can be read by every user of this machine; make it chmod 600', { path })
}

const codeOf = (error: unknown) => (error as { code?: string }).code
