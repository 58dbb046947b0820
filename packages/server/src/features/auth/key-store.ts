import { randomUUID } from 'node:crypto'
import { chmod, chown, link, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as z from 'zod'
import { makeFolders } from '../../core/folders.ts'
import { StartError } from '../../core/start-error.ts'

/** A rotation is over in milliseconds. What is older than this was cut short. */
const rotationMsMax = 60_000
export const alg = 'EdDSA'

export const keySchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
  kid: z.string().min(1),
  createdAt: z.iso.datetime(),
  retiredAt: z.iso.datetime().optional(),
})
/** A JWK set (RFC 7517), the newest key first. `createdAt` and `retiredAt` are ours. */
const fileSchema = z.object({ keys: z.array(keySchema).max(100) })
export type StoredKey = z.output<typeof keySchema>

/** Throws StartError with one sentence about what is wrong with the file. */
export async function readKeys(path: string): Promise<{ stored: StoredKey[]; version: string }> {
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

/**
 * Another text when the file is another one.
 * @NOTE the time alone will not do: file systems count it in steps of some milliseconds. A rotation makes a new inode.
 */
export async function versionOf(path: string): Promise<string> {
  const { mtimeMs, ino, size } = await stat(path)
  return `${mtimeMs} ${ino} ${size}`
}

/** Makes the file when there is none. Of several servers that start together on a new folder one makes it; the others take it. */
export async function makeKeys(path: string, keys: () => Promise<StoredKey[]>): Promise<void> {
  try {
    await stat(path)
    return
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw failed(path, 'read', error)
  }
  try {
    makeFolders(dirname(path))
    await placeFile(path, toText(await keys()), async (temporary) => {
      await link(temporary, path) // unlike a rename it does not replace what another server was faster to make
      await rm(temporary)
    })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw failed(path, 'made', error)
  }
}

/** Replaces the file. It stays whose it was: who rotates keys as root must not lock out the server. */
export async function writeKeys(path: string, keys: StoredKey[]): Promise<void> {
  try {
    const target = await realpath(path)
    const { uid, gid, mode } = await stat(target)
    await placeFile(target, toText(keys), async (temporary) => {
      await chmod(temporary, mode & 0o777)
      if (process.getuid?.() === 0) await chown(temporary, uid, gid)
      await rename(temporary, target)
    })
  } catch (error) {
    throw failed(path, 'written', error)
  }
}

function failed(path: string, what: 'read' | 'made' | 'written', cause: unknown): StartError {
  return new StartError(`The key file ${path} cannot be ${what}: ${(cause as Error).message}.`, { cause })
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
export async function whileLocked<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lockPath = `${path}.lock`
  const since = await stat(lockPath).catch(() => undefined)
  if (since && Date.now() - since.mtimeMs > rotationMsMax) await rm(lockPath, { force: true })
  try {
    await (await open(lockPath, 'wx', 0o600)).close()
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw new StartError(`Another rotation of the keys is under way: ${lockPath} exists.`, { cause: error })
    throw failed(path, 'written', error)
  }
  try {
    return await work()
  } finally {
    await rm(lockPath, { force: true })
  }
}

export async function warnWhenOpen(path: string, warn: (message: string, fields: Record<string, unknown>) => void): Promise<void> {
  const { mode } = await stat(path)
  if (process.platform !== 'win32' && mode & 0o004)
    warn('the key file can be read by every user of this machine; make it chmod 600', { path })
}

const codeOf = (error: unknown) => (error as { code?: string }).code
