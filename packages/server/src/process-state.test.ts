import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readCertificateExpiry, readDisk } from './process-state.ts'

// Of nobody, and its key was never kept.
const certificate = `-----BEGIN CERTIFICATE-----
MIIBPjCB8aADAgECAhR08+wAY4gCYiYhM3x/rr6cMouYhjAFBgMrZXAwFDESMBAG
A1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDEyNDYzM1oYDzIxMjYxMDMxMTI0NjMz
WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwKjAFBgMrZXADIQCdUWwF1Ilb47ib7REj
UWao/bB5BBSCrXquj8cM5kuZ96NTMFEwHQYDVR0OBBYEFKLKAoBALucJbHgxvLsa
1g4sjhL6MB8GA1UdIwQYMBaAFKLKAoBALucJbHgxvLsa1g4sjhL6MA8GA1UdEwEB
/wQFMAMBAf8wBQYDK2VwA0EAar0Tvwz8u9k6Nbe7mlGSnVW2iaRMexN6pKp9NHEC
8mZ+b4UELDB7lsztCGUWToThOkm+vuCRHVwC05q3LjcLDA==
-----END CERTIFICATE-----
`

it('reads when a certificate ends, the first of a chain, and anew when it was renewed', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'pinstack-')), 'chain.pem')
  writeFileSync(file, `${certificate}${certificate}`)
  expect(new Date(await readCertificateExpiry(file)).toISOString()).toBe('2126-10-31T12:46:33.000Z')
  writeFileSync(file, 'no certificate')
  await expect(readCertificateExpiry(file)).rejects.toThrow()
})

it('reads the disk of a directory, and says nothing of one that is not there', async () => {
  const { freeBytes, sizeBytes } = await readDisk(tmpdir())
  expect(freeBytes).toBeGreaterThan(0)
  expect(freeBytes).toBeLessThanOrEqual(sizeBytes)
  await expect(readDisk(join(tmpdir(), 'not there'))).rejects.toThrow('ENOENT')
})
