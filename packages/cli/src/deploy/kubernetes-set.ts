import { version } from '../version.ts'
import type { EnvEntry } from './env-file.ts'
import { newSecret } from './secrets.ts'
import { fill, setFiles, type DeploySet, type SetFile } from './set.ts'

export interface KubernetesAnswers {
  database?: string | undefined
  redis?: string | undefined
  kafka?: string | undefined
  domain?: string | undefined
  namespace?: string | undefined
  image?: string | undefined
  serviceMonitor?: boolean | undefined
}

const overlay = 'overlays/production'
/** Where servers listen that a URL gives no port for. */
const ports = { postgres: '5432', redis: '6379', kafka: '9092' } as const

export const settingsPath = `${overlay}/settings.env`
export const secretsPath = `${overlay}/secrets.env`

/** `inForce` are the settings of a set that is there already; `answers` those of before with what was given now. */
export function kubernetesSet(answers: KubernetesAnswers, inForce: ReadonlyMap<string, string>): DeploySet {
  const namespace = answers.namespace ?? 'pinstack'
  const image = answers.image ?? `ghcr.io/pinstack/pinstack:${version}`
  const at = image.lastIndexOf(':')
  const hasTag = at > image.lastIndexOf('/')
  const values = {
    NAMESPACE: namespace,
    IMAGE: hasTag ? image.slice(0, at) : image,
    TAG: hasTag ? image.slice(at + 1) : version,
    DOMAIN: answers.domain || 'unused.invalid',
    COMPONENTS: components(answers),
    EGRESS_PORTS: egressPorts(answers, inForce),
  }
  const files = new Map<string, SetFile>([['.gitignore', { text: 'secrets.env\n', mode: 0o644 }]])
  for (const [path, { text, mode }] of setFiles('deploy/kubernetes')) {
    files.set(path.replace(/^overlay\//, `${overlay}/`), { text: fill(text, values), mode })
  }
  const kubectl = (...args: string[]) => ['kubectl', '--namespace', namespace, ...args]
  return {
    kind: 'kubernetes',
    files,
    envs: [
      { path: settingsPath, entries: settings(answers), quote: (value) => value },
      { path: secretsPath, entries: secrets(answers), quote: (value) => value },
    ],
    commands: [
      kubectl('delete', 'job', 'pinstack-migrate', '--ignore-not-found'), // what a job runs cannot be changed
      ['kubectl', 'apply', '--kustomize', overlay],
      kubectl('wait', '--for=condition=complete', '--timeout=600s', 'job/pinstack-migrate'),
      kubectl('rollout', 'status', '--timeout=600s', 'deployment/pinstack-api'),
      kubectl('rollout', 'status', '--timeout=600s', 'deployment/pinstack-worker'),
    ],
    afterwards: [
      answers.domain
        ? `API          https://${answers.domain}`
        : `API          kubectl --namespace ${namespace} port-forward service/pinstack-api 8080:80, then http://127.0.0.1:8080`,
      `First admin  register an account, then: kubectl --namespace ${namespace} exec deployment/pinstack-api -- pinstack admin grant NAME`,
    ],
  }
}

function components({ domain, serviceMonitor }: KubernetesAnswers): string {
  const chosen = [...(domain ? ['ingress'] : []), ...(serviceMonitor ? ['service-monitor'] : [])]
  return chosen.length === 0 ? ' []' : chosen.map((name) => `\n  - ../../components/${name}`).join('')
}

function egressPorts({ database, redis, kafka }: KubernetesAnswers, inForce: ReadonlyMap<string, string>): string {
  const found = new Set<string>()
  const postgresUrl = database ?? inForce.get('PINSTACK_DATABASE_URL')
  const redisUrl = redis ?? inForce.get('PINSTACK_REDIS_URL')
  const brokers = kafka ?? inForce.get('PINSTACK_KAFKA_BROKERS')
  if (postgresUrl) found.add(new URL(postgresUrl).port || ports.postgres)
  if (redisUrl) found.add(new URL(redisUrl).port || ports.redis)
  for (const broker of brokers ? brokers.split(',') : []) found.add(/:(\d+)$/.exec(broker.trim())?.[1] ?? ports.kafka)
  return [...found].map((port) => `\n        - { protocol: TCP, port: ${port} }`).join('')
}

function settings({ kafka }: KubernetesAnswers): EnvEntry[] {
  return [
    { key: 'PINSTACK_LOG_LEVEL', initial: () => 'info', comment: 'Settings of every process: docs/config.md has them all.' },
    {
      key: 'PINSTACK_DATABASE_POOL_MAX',
      initial: () => '10',
      comment: 'Connections of one process: Postgres needs room for all replicas.',
    },
    { key: 'PINSTACK_KAFKA_BROKERS', initial: () => '', value: kafka },
  ]
}

function secrets({ database, redis }: KubernetesAnswers): EnvEntry[] {
  const comment = 'They are made once and never changed by `pinstack deploy`. Keep a copy where the backups are.'
  return [
    { key: 'PINSTACK_AUTH_SECRET', initial: newSecret, secret: true, comment },
    { key: 'PINSTACK_DATABASE_URL', initial: () => '', value: database, secret: true },
    { key: 'PINSTACK_REDIS_URL', initial: () => '', value: redis, secret: true },
  ]
}
