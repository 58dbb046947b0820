import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createAccessTokens } from './access-tokens.ts'
import { openKeyFile, rotateKeyFile } from './key-file.ts'
import { openSecretKeys, type Keyring } from './keys.ts'

const accessTtlMs = 900_000
const settings = { accessTtlMs, issuer: 'pinstack', audience: 'pinstack' }
const [secret, other] = ['jW0oB0qv1zcPSyGQ4nXYxH2T9kLmR5dE', 'Zb7uC3wMf9aKqT1rVx5eLg8NpD2sYh4J']

describe('secrets', () => {
  it('sign with the first, and verify with those before it', async () => {
    const clock = { nowMs: () => Date.UTC(2026, 0, 1) }
    const tokensOf = async (secrets: { secret: string; previousSecrets?: string[] }) =>
      createAccessTokens({ keys: await openSecretKeys(secrets), clock, settings })
    const [before, rotated, after] = [
      await tokensOf({ secret }),
      await tokensOf({ secret: other, previousSecrets: [secret] }),
      await tokensOf({ secret: other }),
    ]
    const claims = { userId: 7, sessionId: 's', issuedMs: clock.nowMs() }
    const [oldToken, newToken] = [(await before.sign(claims)).token, (await rotated.sign(claims)).token]
    expect([await rotated.verify(oldToken), await rotated.verify(newToken), await after.verify(newToken)]).toEqual(
      Array(3).fill({ userId: 7, sessionId: 's' }),
    )
    await expect(after.verify(oldToken)).rejects.toMatchObject({ code: 'auth.unauthenticated' })
    await expect(before.verify(newToken)).rejects.toMatchObject({ code: 'auth.unauthenticated' })
  })

  it('are named by a kid that says nothing of them, the same in every process', async () => {
    const [one, again, two] = await Promise.all([openSecretKeys({ secret }), openSecretKeys({ secret }), openSecretKeys({ secret: other })])
    const { kid } = one.signingKey()
    expect([kid === again.signingKey().kid, kid === two.signingKey().kid, secret.includes(kid), kid.length]).toEqual([
      true,
      false,
      false,
      16,
    ])
  })

  it('are refused when they are short', async () => {
    const refusal = { name: 'StartError', message: 'A secret for access tokens needs 32 bytes: openssl rand -base64 48 makes one.' }
    await expect(openSecretKeys({ secret: 'my-secret' })).rejects.toMatchObject(refusal)
    await expect(openSecretKeys({ secret, previousSecrets: [secret.slice(1)] })).rejects.toMatchObject(refusal)
    await openSecretKeys({ secret: 'ä'.repeat(16) }) // bytes, not characters
  })
})

describe('a key file', () => {
  let path: string
  let nowMs: number
  let warnings: string[]
  const opened: Keyring[] = []
  const clock = { nowMs: () => nowMs }
  const open = async () => {
    const keyring = await openKeyFile({ path, clock, accessTtlMs, warn: (message) => warnings.push(message) })
    opened.push(keyring)
    return keyring
  }
  const rotate = () => rotateKeyFile({ path, clock, accessTtlMs })
  const signs = (keyring: Keyring) => keyring.signingKey().kid
  const knows = async (keyring: Keyring, kid: string) => (await keyring.verifyingKey(kid))?.kid === kid
  const stored = () => JSON.parse(readFileSync(path, 'utf8')).keys as Record<string, string>[]

  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'pinstack-')), 'new', 'keys.json')
    nowMs = Date.UTC(2026, 0, 1)
    warnings = []
  })
  afterEach(() => {
    for (const keyring of opened.splice(0)) keyring.close()
    vi.useRealTimers()
  })

  it('is made on the first start, for its owner alone, and used again on the next', async () => {
    const first = await open()
    expect([statSync(path).mode & 0o777, statSync(join(path, '..')).mode & 0o777]).toEqual([0o600, 0o700])
    const [key, ...more] = stored()
    expect([key, more]).toEqual([
      {
        kty: 'OKP',
        crv: 'Ed25519',
        alg: 'EdDSA',
        use: 'sig',
        kid: signs(first),
        x: expect.stringMatching(/^[\w-]{43}$/),
        d: expect.stringMatching(/^[\w-]{43}$/),
        createdAt: '2026-01-01T00:00:00.000Z',
      },
      [],
    ])
    expect(signs(await open())).toBe(signs(first))
    expect([readdirSync(join(path, '..')), warnings]).toEqual([['keys.json'], []])
  })

  it('is made once by servers that start together', async () => {
    for (let round = 0; round < 20; round++) {
      path = join(mkdtempSync(join(tmpdir(), 'pinstack-')), 'keys.json')
      const keyrings = await Promise.all(
        Array.from({ length: 6 }, async (_, index) => {
          for (let turn = 0; turn < index * 2; turn++) await nextTurn() // so that some have read it while others still make theirs
          return open()
        }),
      )
      expect(new Set(keyrings.map(signs)).size).toBe(1)
      expect(readdirSync(join(path, '..'))).toEqual(['keys.json'])
    }
  })

  it('is rotated while a server runs: old tokens verify, new ones do at once, and soon it signs with the new key', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const [signer, verifier] = [await open(), await open()]
    const [old, neu] = [createAccessTokens({ keys: signer, clock, settings }), createAccessTokens({ keys: verifier, clock, settings })]
    const oldToken = (await old.sign({ userId: 7, sessionId: 's', issuedMs: nowMs })).token
    const { kid, retiredKid } = await rotate()
    expect([retiredKid, kid === retiredKid, signs(verifier)]).toEqual([signs(signer), false, retiredKid])

    const restarted = createAccessTokens({ keys: await open(), clock, settings }) // signs with the new key before the others have looked
    const newToken = (await restarted.sign({ userId: 8, sessionId: 's', issuedMs: nowMs })).token
    expect([await neu.verify(newToken), await neu.verify(oldToken), await restarted.verify(oldToken)].map(({ userId }) => userId)).toEqual([
      8, 7, 7,
    ])

    await vi.advanceTimersByTimeAsync(5_000)
    await vi.waitFor(() => expect(signs(signer)).toBe(kid))
    expect([signs(verifier), warnings]).toEqual([kid, []])
  })

  it('forgets a key once every token that it signed has ended', async () => {
    const keyring = await open()
    const first = signs(keyring)
    await rotate()
    nowMs += 1_000
    await keyring.verifyingKey('makes it look')
    nowMs += accessTtlMs + 9_000 // the skew of the clocks, and the time until the last server signs with the new one
    expect(await knows(keyring, first)).toBe(true)
    nowMs += 1
    expect(await knows(keyring, first)).toBe(false)
    expect((await rotate()).droppedKids).toEqual([first])
    expect(stored().map(({ kid, retiredAt }) => [kid === first, retiredAt !== undefined])).toEqual([
      [false, false],
      [false, true],
    ])
  })

  it('is looked at again for a kid that nobody knows, but not more often than once a second', async () => {
    const keyring = await open()
    await keyring.verifyingKey('unknown')
    const { kid } = await rotate()
    expect(await knows(keyring, kid)).toBe(false)
    nowMs += 999
    expect(await knows(keyring, kid)).toBe(false)
    nowMs += 1
    expect(await knows(keyring, kid)).toBe(true)
  })

  it('that becomes unreadable leaves the keys in use as they are, and is reported', async () => {
    const keyring = await open()
    const kid = signs(keyring)
    writeFileSync(path, '{"keys":')
    await keyring.verifyingKey('makes it look')
    expect([signs(keyring), await knows(keyring, kid), warnings]).toEqual([
      kid,
      true,
      ['the key file cannot be read; the keys in use stay'],
    ])
  })

  it('keeps what it had when a rotation cannot write', async () => {
    await open()
    const before = readFileSync(path)
    writeFileSync(`${path}.lock`, '')
    await expect(rotate()).rejects.toMatchObject({
      name: 'StartError',
      message: `Another rotation of the keys is under way: ${path}.lock exists.`,
    })
    expect(readFileSync(path)).toEqual(before)
    utimesSync(`${path}.lock`, 0, 0) // cut short long ago
    await rotate()
    expect(existsSync(`${path}.lock`)).toBe(false)
    expect(stored()).toHaveLength(2)
  })

  it('loses no key to two rotations at once', async () => {
    const first = signs(await open())
    const outcomes = await Promise.allSettled([rotate(), rotate()])
    const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.kid] : []))
    expect(made.length).toBeGreaterThan(0)
    expect(
      stored()
        .map(({ kid }) => kid)
        .sort(),
    ).toEqual([first, ...made].sort())
  })

  it.each([
    ['is no JSON', 'x', 'is not JSON; restore it from a backup, or remove it to sign everyone out.'],
    ['is empty', '', 'is not JSON; restore it from a backup, or remove it to sign everyone out.'],
    [
      'is something else',
      '{"keys":[{"kty":"RSA"}]}',
      'does not have the form of a key file; restore it from a backup, or remove it to sign everyone out.',
    ],
    ['has no keys', '{"keys":[]}', 'has no key that is not retired.'],
  ])('that %s stops the start with one sentence', async (_what, content, complaint) => {
    await open()
    writeFileSync(path, content)
    await expect(open()).rejects.toMatchObject({ name: 'StartError', message: `The key file ${path} ${complaint}` })
    await expect(rotate()).rejects.toMatchObject({ name: 'StartError' })
    expect([readFileSync(path, 'utf8'), existsSync(`${path}.lock`)]).toEqual([content, false])
  })

  it('in a place where none can be made stops the start with one sentence', async () => {
    path = '/dev/null/keys.json'
    await expect(open()).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringMatching(/^The key file \/dev\/null\/keys\.json cannot be read: .*\.$/),
    })
    path = join(mkdtempSync(join(tmpdir(), 'pinstack-')), 'keys.json')
    await expect(rotate()).rejects.toMatchObject({ name: 'StartError', message: expect.stringMatching(/cannot be read/) })
  })

  it('stays whose it was, and as open as it was, when it is rotated, and where a link leads to it', async () => {
    await open()
    chmodSync(path, 0o640)
    const isRoot = process.getuid?.() === 0
    if (isRoot) chownSync(path, 65_534, 65_534)
    const linked = `${path}.link`
    symlinkSync(path, linked)
    await rotateKeyFile({ path: linked, clock, accessTtlMs })
    const { mode, uid } = statSync(path)
    expect([mode & 0o777, isRoot ? uid : 65_534, lstatSync(linked).isSymbolicLink(), stored().length]).toEqual([0o640, 65_534, true, 2])
  })

  it('that everyone may read is reported', async () => {
    await open()
    chmodSync(path, 0o644)
    await open()
    expect(warnings).toEqual(['the key file can be read by every user of this machine; make it chmod 600'])
  })
})
