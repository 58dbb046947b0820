import { version } from '../version.ts'
import type { EnvEntry } from './env-file.ts'
import { newClusterId, newSecret } from './secrets.ts'
import { setFiles, type DeploySet } from './set.ts'

export const composeExtras = ['monitoring', 'elk', 'tools'] as const

export interface ComposeAnswers {
  domain?: string | undefined
  with?: string[] | undefined
  bind?: string | undefined
}

/** Of each profile: the address that it has, for people. */
const pages: Record<string, string> = {
  monitoring: 'Grafana      http://127.0.0.1:3000  user admin, password GRAFANA_PASSWORD of .env',
  elk: 'Kibana       http://127.0.0.1:5601  user elastic, password ELASTIC_PASSWORD of .env',
  tools: 'Kafka UI     http://127.0.0.1:9091  user admin, password KAFKA_UI_PASSWORD of .env; pgAdmin http://127.0.0.1:5050',
}

/** `inForce` are the settings of a set that is there already. */
export function composeSet(answers: ComposeAnswers, inForce: ReadonlyMap<string, string>): DeploySet {
  const profiles = answers.with ?? inForce.get('COMPOSE_PROFILES')?.split(',').slice(1) ?? []
  const site = answers.domain === undefined ? (inForce.get('PINSTACK_SITE') ?? ':80') : answers.domain || ':80'
  const files = setFiles('docker')
  files.set('.gitignore', { text: '.env\npacked/\n', mode: 0o644 })
  return {
    kind: 'compose',
    files,
    envs: [{ path: '.env', entries: entries(answers), quote: (value) => value }],
    commands: [['docker', 'compose', 'up', '--build', '--detach', '--wait', '--remove-orphans']],
    afterwards: [
      `API          ${site.startsWith(':') ? `http://127.0.0.1${site === ':80' ? '' : site}` : `https://${site}`}`,
      ...profiles.flatMap((profile) => pages[profile] ?? []),
      'First admin  register an account, then: docker compose exec server-1 pinstack admin grant NAME',
    ],
  }
}

function entries({ domain, with: extras, bind }: ComposeAnswers): EnvEntry[] {
  const profiles = extras && ['core', ...composeExtras.filter((name) => extras.includes(name))].join(',')
  const secret = (key: string, comment?: string): EnvEntry => ({ key, initial: newSecret, secret: true, ...(comment && { comment }) })
  return [
    {
      key: 'PINSTACK_VERSION',
      initial: () => version,
      value: version,
      comment: 'The version that runs. `pinstack deploy compose` of a newer one changes it.',
    },
    {
      key: 'COMPOSE_PROFILES',
      initial: () => 'core',
      value: profiles,
      comment: 'What is started: core, and any of monitoring, elk, tools.',
    },
    {
      key: 'PINSTACK_SITE',
      initial: () => ':80',
      value: domain === undefined ? undefined : domain || ':80',
      comment: 'A domain that leads to this machine, for HTTPS; :80 for plain HTTP.',
    },
    { key: 'BIND_ADDRESS', initial: () => '127.0.0.1', value: bind, comment: 'Where everything but the proxy is published.' },
    secret('AUTH_SECRET', 'Secrets. They are made once and never changed by `pinstack deploy`. Keep a copy where the backups are.'),
    secret('POSTGRES_PASSWORD'),
    secret('REDIS_PASSWORD'),
    { key: 'KAFKA_CLUSTER_ID', initial: newClusterId, secret: true },
    secret('GRAFANA_PASSWORD'),
    secret('GRAFANA_SECRET_KEY'),
    secret('ELASTIC_PASSWORD'),
    secret('KIBANA_PASSWORD'),
    secret('KIBANA_ENCRYPTION_KEY'),
    secret('KAFKA_UI_PASSWORD'),
    secret('PGADMIN_PASSWORD'),
  ]
}
