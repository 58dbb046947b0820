import { hash as argon2Hash, parseOptions } from '@node-rs/argon2'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { beforeEach, expect, it } from 'vitest'
import { createPasswords, nobodysHash, type Passwords } from './passwords.ts'

let passwords: Passwords
beforeEach(() => {
  passwords = createPasswords()
})

it('hashes with argon2id at 19 MiB and two passes, and never twice alike', async () => {
  const [one, other] = [await passwords.hash('correct horse'), await passwords.hash('correct horse')]
  expect(one).not.toBe(other)
  expect(parseOptions(one)).toMatchObject({ algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  expect([
    await passwords.verify(one, 'correct horse'),
    await passwords.verify(one, 'correct horsE'),
    await passwords.verify(one, ''),
  ]).toEqual(['right', 'wrong', 'wrong'])
})

it('tells passwords apart to the last of 128 characters, and does not cut them as bcrypt does', async () => {
  const [long, longer] = ['\u{1F600}'.repeat(127) + 'a', '\u{1F600}'.repeat(127) + 'b']
  const hash = await passwords.hash(long)
  expect([await passwords.verify(hash, long), await passwords.verify(hash, longer)]).toEqual(['right', 'wrong'])
})

it('works as hard for an account that does not exist, and finds its password wrong, whatever it is', async () => {
  expect(parseOptions(nobodysHash)).toEqual(parseOptions(await passwords.hash('correct horse')))
  expect(await passwords.verify(undefined, 'correct horse')).toBe('wrong')
})

it('takes the hashes of imported accounts, and weak ones, and says that they are out of date', async () => {
  for (const version of ['2a', '2b', '2y'] as const) {
    const imported = await bcryptHash('correct horse', { cost: 4, version })
    expect(imported.startsWith(`$${version}$`)).toBe(true)
    expect([await passwords.verify(imported, 'correct horse'), await passwords.verify(imported, 'wrong horse')]).toEqual([
      'outdated',
      'wrong',
    ])
  }
  const weak = await argon2Hash('correct horse', { memoryCost: 4096, timeCost: 1 })
  expect([await passwords.verify(weak, 'correct horse'), await passwords.verify(weak, 'wrong horse')]).toEqual(['outdated', 'wrong'])
})

it('rejects what is no hash at all instead of letting someone in', async () => {
  for (const broken of ['', 'correct horse', '$argon2id$', '$2b$10$short']) {
    const outcome = await passwords.verify(broken, 'correct horse').catch(() => 'rejected')
    expect(['wrong', 'rejected']).toContain(outcome)
  }
})

it('computes a few at once, lets others wait, and refuses those for whom the wait is too long', async () => {
  expect(passwords.load()).toEqual({ running: 0, waiting: 0 })
  const outcomes = Promise.allSettled(Array.from({ length: 300 }, () => passwords.verify(undefined, 'correct horse')))
  const { running, waiting } = passwords.load()
  expect([running >= 1, running <= 8, waiting]).toEqual([true, true, 256])
  const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected')
  expect(refused).toHaveLength(300 - running - waiting)
  expect(refused[0]!.reason).toMatchObject({ code: 'auth.busy', kind: 'unavailable', retryAfterMs: 2_000 })
  expect(passwords.load()).toEqual({ running: 0, waiting: 0 })
  expect(await passwords.verify(undefined, 'x')).toBe('wrong') // and it goes on afterwards
}, 30_000)
