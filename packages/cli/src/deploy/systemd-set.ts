import { version } from '../version.ts'
import type { EnvEntry } from './env-file.ts'
import { newSecret } from './secrets.ts'
import { fill, setFiles, type DeploySet, type SetFile } from './set.ts'

export interface SystemdAnswers {
  database?: string | undefined
  redis?: string | undefined
  kafka?: string | undefined
  domain?: string | undefined
}

/** On Postgres two API processes and a worker; on SQLite, which one process writes, everything in one. */
export function systemdSet(answers: SystemdAnswers, inForce: ReadonlyMap<string, string>): DeploySet {
  const isPostgres = (answers.database ?? inForce.get('PINSTACK_DATABASE_URL') ?? '').startsWith('postgres')
  const units = isPostgres ? ['pinstack-api@1.service', 'pinstack-api@2.service', 'pinstack-worker.service'] : ['pinstack.service']
  const others = isPostgres ? ['pinstack.service'] : ['pinstack-api@1.service', 'pinstack-api@2.service', 'pinstack-worker.service']
  const values = {
    VERSION: version,
    UNITS: units.join(' '),
    OTHER_UNITS: others.join(' '),
    MIGRATE: isPostgres ? 'yes' : 'no',
    SITE: answers.domain || ':80',
    UPSTREAMS: isPostgres ? '127.0.0.1:8081 127.0.0.1:8082' : '127.0.0.1:8080',
  }
  const files = new Map<string, SetFile>([['.gitignore', { text: 'pinstack.env\npackages/\n', mode: 0o644 }]])
  for (const [path, { text, mode }] of setFiles('deploy/systemd')) files.set(path, { text: fill(text, values), mode })
  const isRoot = process.getuid?.() === 0
  return {
    kind: 'systemd',
    files,
    envs: [{ path: 'pinstack.env', entries: entries(answers), quote }],
    commands: [isRoot ? ['./install.sh'] : ['sudo', './install.sh']],
    afterwards: [
      `API          ${isPostgres ? 'http://127.0.0.1:8081 and :8082' : 'http://127.0.0.1:8080'}; Caddyfile, beside it, is the proxy in front of it`,
      'Logs         journalctl --unit "pinstack*" --follow',
      'First admin  register an account, then: sudo pinstack-admin admin grant NAME',
    ],
  }
}

/** @NOTE systemd reads escapes in quotes, and a value without them to the end of the line; `$` is nothing special to it. */
function quote(value: string): string {
  return /^[\w./:@,=?&%+~-]*$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`
}

function entries({ database, redis, kafka }: SystemdAnswers): EnvEntry[] {
  const comment = 'It is made once and never changed by `pinstack deploy`. Keep a copy where the backups are.'
  return [
    { key: 'PINSTACK_DATA_DIR', initial: () => '/var/lib/pinstack', comment: 'Settings of every process: docs/config.md has them all.' },
    { key: 'PINSTACK_LOG_LEVEL', initial: () => 'info' },
    { key: 'PINSTACK_AUTH_SECRET', initial: newSecret, secret: true, comment },
    { key: 'PINSTACK_DATABASE_URL', initial: () => '', value: database, secret: true, comment: 'Empty: SQLite, in the data directory.' },
    ...(redis === undefined ? [] : [{ key: 'PINSTACK_REDIS_URL', initial: () => '', value: redis, secret: true }]),
    ...(kafka === undefined ? [] : [{ key: 'PINSTACK_KAFKA_BROKERS', initial: () => '', value: kafka }]),
  ]
}
