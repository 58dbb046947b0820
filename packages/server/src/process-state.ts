import { X509Certificate } from 'node:crypto'
import { readFile, statfs } from 'node:fs/promises'

/** Rejects where there is no such directory, as on a server whose data is all in Postgres. */
export async function readDisk(dir: string): Promise<{ freeBytes: number; sizeBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(dir)
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize }
}

/** When the first certificate in a PEM file ends, in milliseconds. Read anew each time: it is renewed beside us. */
export async function readCertificateExpiry(file: string): Promise<number> {
  return Date.parse(new X509Certificate(await readFile(file)).validTo)
}
