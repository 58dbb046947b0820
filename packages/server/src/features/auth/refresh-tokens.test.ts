import { expect, it } from 'vitest'
import { hashOfToken, isRefreshToken, newRefreshToken, openSuccessor, sealSuccessor } from './refresh-tokens.ts'

it('makes tokens of 256 bits, each another one', () => {
  const tokens = Array.from({ length: 1000 }, newRefreshToken)
  expect(new Set(tokens).size).toBe(1000)
  expect(tokens.every((token) => isRefreshToken(token) && Buffer.from(token, 'base64url').length === 32)).toBe(true)
  for (const other of ['', 'a'.repeat(42), 'a'.repeat(44), `${'a'.repeat(42)}=`, `${'a'.repeat(42)}\n`])
    expect(isRefreshToken(other)).toBe(false)
})

it('seals a successor so that only the spent token opens it', () => {
  const [spent, successor] = [newRefreshToken(), newRefreshToken()]
  const sealed = sealSuccessor(spent, successor)
  expect(openSuccessor(spent, sealed)).toBe(successor)
  expect(sealSuccessor(spent, successor)).not.toBe(sealed)
  for (const key of [newRefreshToken(), hashOfToken(spent), successor]) expect(() => openSuccessor(key, sealed)).toThrow()
})

it('notices when what is sealed was changed or cut', () => {
  const [spent, successor] = [newRefreshToken(), newRefreshToken()]
  const bytes = Buffer.from(sealSuccessor(spent, successor), 'base64url')
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes)
    changed[index]! ^= 1
    expect(() => openSuccessor(spent, changed.toString('base64url'))).toThrow()
  }
  for (const length of [0, 10, 28, bytes.length - 1])
    expect(() => openSuccessor(spent, bytes.subarray(0, length).toString('base64url'))).toThrow()
})

it('gives away nothing of the token to those who read the hash or the seal', () => {
  const [spent, successor] = [newRefreshToken(), newRefreshToken()]
  const kept = hashOfToken(spent) + sealSuccessor(spent, successor)
  expect([kept.includes(spent), kept.includes(successor)]).toEqual([false, false])
})
