import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { certificate } from '../test/certificate.ts'
import { readCertificateExpiry, readDisk } from './process-state.ts'

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
