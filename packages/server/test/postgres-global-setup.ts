import { startPostgres } from './postgres-server.ts'

/**
 * One Postgres for the whole run, told to the tests as `TEST_POSTGRES_URL`. A server that this variable names already is used instead.
 * Where none can be had, `TEST_POSTGRES_MISSING` says why and the Postgres half is skipped; in CI that fails the run.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.TEST_POSTGRES_URL) return undefined
  try {
    const server = await startPostgres()
    process.env.TEST_POSTGRES_URL = server.url
    return () => server.remove()
  } catch (error) {
    if (process.env.CI) throw error
    process.env.TEST_POSTGRES_MISSING = error instanceof Error ? error.message : String(error)
    return undefined
  }
}
