import { createHmac, generateKeyPairSync, sign as signBytes, createPublicKey, type KeyObject } from 'node:crypto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createAccessTokens, type AccessTokens } from './access-tokens.ts'
import { openSecretKeys, type Keyring, type SigningKey } from './keys.ts'

const settings = { accessTtlMs: 900_000, issuer: 'pinstack', audience: 'pinstack' }
const startMs = Date.UTC(2026, 0, 1)
const start = startMs / 1000
const secret = 'jW0oB0qv1zcPSyGQ4nXYxH2T9kLmR5dE'
const encode = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

let nowMs: number
let privateKey: KeyObject
let keys: Record<'EdDSA' | 'HS256', Keyring>
beforeEach(async () => {
  nowMs = startMs
  const pair = generateKeyPairSync('ed25519')
  privateKey = pair.privateKey
  const importKey = (jwk: object, usage: 'sign' | 'verify') => crypto.subtle.importKey('jwk', jwk, 'Ed25519', true, [usage])
  const signing: SigningKey = { kid: 'ed', alg: 'EdDSA', key: await importKey(pair.privateKey.export({ format: 'jwk' }), 'sign') }
  const verifying = { ...signing, key: await importKey(pair.publicKey.export({ format: 'jwk' }), 'verify') }
  keys = {
    EdDSA: {
      signingKey: () => signing,
      verifyingKey: async (kid) => (kid === 'ed' ? verifying : undefined),
      signingKeyMadeAt: () => undefined,
      close() {},
    },
    HS256: await openSecretKeys({ secret }),
  }
})
const open = (keyring: Keyring): AccessTokens => createAccessTokens({ keys: keyring, clock: { nowMs: () => nowMs }, settings })

const goodClaims = { user_id: 7, sid: 's1', sub: '7', iat: start, exp: start + 900, iss: 'pinstack', aud: 'pinstack' }

/** A token with any header and claims, signed as `alg` says with the keys that the server has. */
function forge(alg: 'EdDSA' | 'HS256', claims: unknown = goodClaims, header: object = {}) {
  const kid = keys[alg].signingKey().kid
  const signed = `${encode({ alg, kid, typ: 'JWT', ...header })}.${encode(claims)}`
  const signature =
    alg === 'HS256' ? createHmac('sha256', secret).update(signed).digest() : signBytes(null, Buffer.from(signed), privateKey)
  return `${signed}.${signature.toString('base64url')}`
}

describe.each(['EdDSA', 'HS256'] as const)('access tokens by %s', (alg) => {
  let tokens: AccessTokens
  beforeEach(() => {
    tokens = open(keys[alg])
  })
  const outcome = async (token: string) =>
    tokens.verify(token).then(
      () => 'accepted',
      (error) => error.message,
    )

  it('carry the claims of the contract, and are the same bytes for the same claims', async () => {
    const { token, expiresMs } = await tokens.sign({ userId: 7, sessionId: 's1', issuedMs: startMs + 999 })
    const [header, claims] = token
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
    expect(header).toEqual({ alg, kid: keys[alg].signingKey().kid, typ: 'JWT' })
    expect([claims, expiresMs]).toEqual([goodClaims, startMs + 900_000])
    expect((await tokens.sign({ userId: 7, sessionId: 's1', issuedMs: startMs })).token).toBe(token)
    expect(await tokens.verify(token)).toEqual({ userId: 7, sessionId: 's1' })
  })

  // REST-V1 1.10, row by row. Its header rows are in rest.test.ts.
  it.each<[string, () => string, string]>([
    ['a good one', () => forge(alg), 'accepted'],
    ['one part', () => 'x', 'invalid token'],
    ['two parts', () => forge(alg).split('.').slice(0, 2).join('.'), 'invalid token'],
    ['four parts', () => `${forge(alg)}.x`, 'invalid token'],
    ['empty parts', () => '..', 'invalid token'],
    ['a header that is not base64', () => `!${forge(alg)}`, 'invalid token'],
    ['padding', () => forge(alg).replace('.', '=.'), 'invalid token'],
    ['a header that is not JSON', () => `${encode('{')}.${encode(goodClaims)}.AA`, 'invalid token'],
    ['a header that is a list', () => `${encode([])}.${encode(goodClaims)}.AA`, 'invalid token'],
    ['claims that are not JSON', () => forge(alg, '{"user_id":7'), 'invalid token'],
    ['claims that are a text', () => forge(alg, '"x"'), 'invalid token'],
    ['a user_id that is a text', () => forge(alg, { ...goodClaims, user_id: '7' }), 'invalid token'],
    ['a user_id that is a fraction', () => forge(alg, { ...goodClaims, user_id: 7.5 }), 'invalid token'],
    ['a user_id beyond all integers', () => forge(alg, { ...goodClaims, user_id: 1e300 }), 'invalid token'],
    ['an exp that is a text', () => forge(alg, { ...goodClaims, exp: 'never' }), 'invalid token'],
    ['an iat that is a list', () => forge(alg, { ...goodClaims, iat: [] }), 'invalid token'],
    ['a sid that is a number', () => forge(alg, { ...goodClaims, sid: 1 }), 'invalid token'],
    ['an aud that is a number', () => forge(alg, { ...goodClaims, aud: 1 }), 'invalid token'],
    ['a kid that is a number', () => forge(alg, goodClaims, { kid: 1 }), 'invalid token'],
    ['more characters than a token has', () => `${'a'.repeat(5000)}.${encode(goodClaims)}.AA`, 'invalid token'],
    ['a wrong type, unsigned', () => forge(alg, { ...goodClaims, user_id: '7' }).replace(/[^.]+$/, 'AA'), 'invalid token'],
    ['alg none', () => `${encode({ alg: 'none', kid: keys[alg].signingKey().kid })}.${encode(goodClaims)}.`, 'unauthenticated'],
    ['alg None, with the signature', () => forge(alg, goodClaims, { alg: 'None' }), 'unauthenticated'],
    ['no alg', () => forge(alg, goodClaims, { alg: undefined }), 'unauthenticated'],
    ['the other alg', () => forge(alg, goodClaims, { alg: alg === 'EdDSA' ? 'HS256' : 'EdDSA' }), 'unauthenticated'],
    ['alg HS512', () => forge(alg, goodClaims, { alg: 'HS512' }), 'unauthenticated'],
    ['alg RS256', () => forge(alg, goodClaims, { alg: 'RS256' }), 'unauthenticated'],
    ['no kid', () => forge(alg, goodClaims, { kid: undefined }), 'unauthenticated'],
    ['an unknown kid', () => forge(alg, goodClaims, { kid: 'other' }), 'unauthenticated'],
    ['a critical extension that nobody knows', () => forge(alg, goodClaims, { crit: ['x'], x: 1 }), 'unauthenticated'],
    ['no signature', () => forge(alg).replace(/[^.]+$/, ''), 'unauthenticated'],
    ['another signature', () => forge(alg).replace(/[^.]+$/, forge(alg, { ...goodClaims, user_id: 8 }).split('.')[2]!), 'unauthenticated'],
    [
      'other claims under the signature',
      () => forge(alg).replace(/\.[^.]+\./, `.${encode({ ...goodClaims, user_id: 8 })}.`),
      'unauthenticated',
    ],
    [
      'a wrong signature that is expired too',
      () => forge(alg, { ...goodClaims, exp: start - 900 }).replace(/[^.]+$/, 'AA'),
      'unauthenticated',
    ],
    ['an exp 4 s in the past', () => forge(alg, { ...goodClaims, exp: start - 4 }), 'accepted'],
    ['an exp 5 s in the past', () => forge(alg, { ...goodClaims, exp: start - 5 }), 'token expired'],
    ['an exp far in the past', () => forge(alg, { ...goodClaims, exp: 0 }), 'token expired'],
    ['an nbf 5 s ahead', () => forge(alg, { ...goodClaims, nbf: start + 5 }), 'accepted'],
    ['an nbf 6 s ahead', () => forge(alg, { ...goodClaims, nbf: start + 6 }), 'unauthenticated'],
    ['an iat ahead', () => forge(alg, { ...goodClaims, iat: start + 60 }), 'accepted'],
    ['no exp', () => forge(alg, { ...goodClaims, exp: undefined }), 'accepted'],
    ['an exp of null', () => forge(alg, { ...goodClaims, exp: null }), 'unauthenticated'],
    ['another issuer', () => forge(alg, { ...goodClaims, iss: 'other' }), 'unauthenticated'],
    ['no issuer', () => forge(alg, { ...goodClaims, iss: undefined }), 'unauthenticated'],
    ['another audience', () => forge(alg, { ...goodClaims, aud: 'other' }), 'unauthenticated'],
    ['one audience of several', () => forge(alg, { ...goodClaims, aud: ['other', 'pinstack'] }), 'accepted'],
    ['no session', () => forge(alg, { ...goodClaims, sid: undefined }), 'unauthenticated'],
    ['no user', () => forge(alg, { ...goodClaims, user_id: undefined }), 'unauthenticated'],
    ['a refresh token', () => 'q7L61r41NH2ZNQ3Luk_cgdW7nhTMVb_aKbQ_l_Jwt4Q', 'invalid token'],
  ])('with %s', async (_what, token, expected) => {
    expect([await outcome(token()), await outcome(token())]).toEqual([expected, expected])
  })

  it('end for those who have been seen before as for the others', async () => {
    const { token } = await tokens.sign({ userId: 7, sessionId: 's1', issuedMs: startMs })
    nowMs = startMs + 904_999
    expect(await outcome(token)).toBe('accepted')
    nowMs = startMs + 905_000
    expect([
      await outcome(token),
      await open(keys[alg])
        .verify(token)
        .catch(({ message }) => message),
    ]).toEqual(['token expired', 'token expired'])
  })

  it('are verified once', async () => {
    const { token } = await tokens.sign({ userId: 7, sessionId: 's1', issuedMs: startMs })
    const verify = vi.spyOn(crypto.subtle, 'verify')
    for (let i = 0; i < 5; i++) await tokens.verify(token)
    expect(verify).toHaveBeenCalledTimes(1)
    await outcome(token.replace(/[^.]+$/, 'AA'))
    await outcome(token.replace(/[^.]+$/, 'AA'))
    expect(verify).toHaveBeenCalledTimes(3) // what is wrong is not kept: it would push out what is right
    verify.mockRestore()
  })

  it('go with their key, also those that have been seen before', async () => {
    let gone = false
    const keyring: Keyring = { ...keys[alg], verifyingKey: async (kid) => (gone ? undefined : keys[alg].verifyingKey(kid)) }
    const tokens = open(keyring)
    const { token } = await tokens.sign({ userId: 7, sessionId: 's1', issuedMs: startMs })
    await tokens.verify(token)
    gone = true
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'auth.unauthenticated' })
  })
})

it('does not take the public key for a secret', async () => {
  const publicKey = createPublicKey(privateKey)
  const tokens = open(keys.EdDSA)
  const spellings = [
    publicKey.export({ format: 'pem', type: 'spki' }),
    publicKey.export({ format: 'der', type: 'spki' }),
    Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url'),
    JSON.stringify(publicKey.export({ format: 'jwk' })),
  ]
  for (const spelling of spellings) {
    const signed = `${encode({ alg: 'HS256', kid: 'ed', typ: 'JWT' })}.${encode(goodClaims)}`
    const token = `${signed}.${createHmac('sha256', spelling).update(signed).digest('base64url')}`
    await expect(tokens.verify(token)).rejects.toMatchObject({ message: 'unauthenticated' })
  }
})
