import { migrationStatus } from '../migrations/index.ts'
import type { Database } from '../ports/database.ts'
import type { Tables } from '../schema.ts'
import { selectOthers } from './store.ts'

const localHosts = ['localhost', '127.0.0.1', '[::1]', '']

/**
 * Why a database looks like one that people use, as the beginning of a sentence; undefined when nothing speaks for it.
 * Reads only, whatever the state of the schema.
 */
export async function findSeedDanger(
  database: Database<Tables>,
  { url, env }: { url: string; env: Record<string, string | undefined> },
): Promise<string | undefined> {
  if (env.NODE_ENV === 'production') return 'NODE_ENV is production'
  if (!isLocal(url)) return 'The database is on another machine'
  const hasUserTable = (await migrationStatus(database)).some(({ appliedAt }) => appliedAt !== null)
  if (hasUserTable && (await selectOthers.first(database.db, {}))) return 'The database has accounts that no seed has made'
}

/** @NOTE `?host=` goes before the host in the authority, as the driver reads it. Paths are sockets of this machine. */
function isLocal(url: string): boolean {
  if (url.startsWith('sqlite:')) return true
  const { hostname, searchParams } = new URL(url)
  const hosts = searchParams.getAll('host')
  return (hosts.length > 0 ? hosts : [decodeURIComponent(hostname)]).every((host) => host.startsWith('/') || localHosts.includes(host))
}
