import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../packages.ts'

/** A new database on the server of the tests, which goes with them. Returns its URL. */
export async function createTestDatabase(serverUrl: string): Promise<string> {
  const pg = createRequire(join(root, 'packages/server/package.json'))('pg')
  const admin = new pg.Client({ connectionString: serverUrl })
  await admin.connect()
  try {
    const name = `test_sets_${randomBytes(6).toString('hex')}`
    await admin.query(`create database ${name} template template0 locale_provider icu icu_locale 'en-US'`)
    return Object.assign(new URL(serverUrl), { pathname: name }).href
  } finally {
    await admin.end()
  }
}
