import { createHash } from 'node:crypto'
import type { CryptoKey } from 'jose'
import { StartError } from '../../core/start-error.ts'

export interface SigningKey {
  kid: string
  alg: 'EdDSA' | 'HS256'
  key: CryptoKey
}

export interface VerifyingKey {
  kid: string
  /** The only algorithm that a token of this key may name. */
  alg: 'EdDSA' | 'HS256'
  key: CryptoKey
}

/** The keys of access tokens: one signs, that and those before it verify. */
export interface Keyring {
  signingKey(): SigningKey
  /** Undefined when no key of this name is valid now. */
  verifyingKey(kid: string): Promise<VerifyingKey | undefined>
  /** When the key that signs was made (ISO-8601); undefined where nobody knows: for a secret from the configuration. */
  signingKeyMadeAt(): string | undefined
  /** Ends the timers. */
  close(): void
}

/** RFC 7518, 3.2: at least the size of the hash. The configuration refuses known examples and repetitions besides. */
const secretBytesMin = 32

/**
 * HS256 with secrets from the configuration: `secret` signs, `previousSecrets` verify. Take a previous one out of the
 * configuration when the tokens that it signed have expired. Throws StartError for a secret that is too short.
 */
export async function openSecretKeys({
  secret,
  previousSecrets = [],
}: {
  secret: string
  previousSecrets?: readonly string[]
}): Promise<Keyring> {
  const keys = new Map<string, SigningKey>()
  for (const one of [secret, ...previousSecrets]) {
    if (Buffer.byteLength(one) < secretBytesMin)
      throw new StartError(`A secret for access tokens needs ${secretBytesMin} bytes: openssl rand -base64 48 makes one.`)
    const kid = kidOfSecret(one)
    keys.set(kid, { kid, alg: 'HS256', key: await importSecret(one) })
  }
  const signing = keys.get(kidOfSecret(secret))!
  return { signingKey: () => signing, verifyingKey: async (kid) => keys.get(kid), signingKeyMadeAt: () => undefined, close() {} }
}

/** Tells secrets apart, and says no more of them than each of their signatures does. */
function kidOfSecret(secret: string): string {
  return createHash('sha256').update(`pinstack kid ${secret}`).digest('base64url').slice(0, 16)
}

function importSecret(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', Buffer.from(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
}
