import { migrationStatus } from '../migrations/index.ts'
import type { Database } from '../ports/database.ts'
import type { Tables } from '../schema.ts'
import { selectOthers } from './store.ts'

// Why a database looks like one that people use, as the beginning of a sentence; undefined when nothing speaks for it.

/** What the settings alone say, before anything is opened. */
export function dangerOfSettings({ url, env }: { url: string; env: Record<string, string | undefined> }): string | undefined {
  if (env.NODE_ENV === 'production') return 'NODE_ENV is production'
  if (!isLocal(url)) return 'The database is on another machine'
}

/** What is in it. Reads only, whatever the state of the schema. */
export async function dangerOfAccounts(database: Database<Tables>): Promise<string | undefined> {
  const hasUserTable = (await migrationStatus(database)).some(({ appliedAt }) => appliedAt !== null)
  if (hasUserTable && (await selectOthers.first(database.db, {}))) return 'The database has accounts that no seed has made'
}

const localHosts = ['localhost', '127.0.0.1', '[::1]', '']

/** @NOTE `?host=` goes before the host in the authority, as the driver reads it. Paths are sockets of this machine. */
function isLocal(url: string): boolean {
  if (url.startsWith('sqlite:')) return true
  const { hostname, searchParams } = new URL(url)
  const hosts = searchParams.getAll('host')
  return (hosts.length > 0 ? hosts : [decodeURIComponent(hostname)]).every((host) => host.startsWith('/') || localHosts.includes(host))
}
