import { existsSync, globSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { askDomain, askExtras, askText } from '../ask.ts'
import { checkBind, checkBrokers, checkDomain, checkExtras, checkImage, checkNamespace, checkUrl } from '../deploy/checks.ts'
import { composeSet, type ComposeAnswers } from '../deploy/compose-set.ts'
import { kubernetesSet, secretsPath, settingsPath, type KubernetesAnswers } from '../deploy/kubernetes-set.ts'
import { deploy, envInForce, type DeployOptions } from '../deploy/deploy.ts'
import { readState, type State } from '../deploy/plan.ts'
import type { Kind } from '../deploy/set.ts'
import { systemdSet, type SystemdAnswers } from '../deploy/systemd-set.ts'
import { CommandError, isInteractive, wrongUse } from '../terminal.ts'

export function addDeployCommands(program: Command): void {
  const group = program
    .command('deploy')
    .description('write all that a production needs into a folder: Docker Compose, Kubernetes or systemd')

  common(group.command('compose'), 'compose')
    .description('proxy, two servers, a worker, Postgres, Redis and Kafka by Docker Compose')
    .option('--domain <name>', 'a domain that leads to this machine: HTTPS, with certificates by itself')
    .option('--with <names>', 'more of it: monitoring, elk, tools, separated by commas; none')
    .option('--bind <address>', 'where all but the proxy is published (default: 127.0.0.1)')
    .option('--packages <dir>', 'build the image from the packed packages in this folder instead of those of the registry')
    .addHelpText('after', help('compose', '--domain social.example.com --with monitoring --apply'))
    .action(deployCompose)

  common(group.command('kubernetes'), 'kubernetes')
    .description('deployments, migration job, scaling and network rules for kubectl; Postgres, Redis and Kafka are yours')
    .option('--database <url>', 'postgres://USER:PASSWORD@HOST:PORT/DATABASE')
    .option('--redis <url>', 'redis://:PASSWORD@HOST:PORT')
    .option('--kafka <brokers>', 'HOST:PORT, separated by commas')
    .option('--domain <name>', 'the name that the ingress answers to')
    .option('--namespace <name>', 'default: pinstack')
    .option('--image <name>', 'the image, with its tag (default: that of this version)')
    .option('--service-monitor', 'for the Prometheus operator')
    .addHelpText('after', help('kubernetes', '--database postgres://pinstack:…@db/pinstack --domain social.example.com'))
    .action(deployKubernetes)

  common(group.command('systemd'), 'systemd')
    .description('services of this machine, confined; two API processes and a worker on Postgres, one process on SQLite')
    .option('--database <url>', 'postgres://USER:PASSWORD@HOST:PORT/DATABASE (default: SQLite)')
    .option('--redis <url>', 'redis://:PASSWORD@HOST:PORT')
    .option('--kafka <brokers>', 'HOST:PORT, separated by commas')
    .option('--domain <name>', 'the name that the proxy answers to')
    .addHelpText('after', help('systemd', '--domain social.example.com'))
    .action(deploySystemd)
}

function common(command: Command, kind: Kind): Command {
  return command
    .optionsGroup('How:')
    .option('-d, --directory <dir>', 'the folder', `pinstack-${kind}`)
    .option('--apply', 'run it, too')
    .option('--dry-run', 'only show what would change')
    .option('--force', 'overwrite what you have changed; a copy stays beside it')
    .option('--keep', 'keep what you have changed, though ours has changed, too')
    .option('-y, --yes', 'do not ask: what is not given has its default')
    .option('--json', 'what was done, as JSON')
    .optionsGroup('What:')
}

function help(kind: Kind, options: string): string {
  return `
Run again, it updates the folder: secrets and your own changes stay.

Examples:
  pinstack deploy ${kind}
  pinstack deploy ${kind} ${options}
  pinstack deploy ${kind} --dry-run`
}

interface Prepared {
  dir: string
  state: State | undefined
  /** Whether a person is to be asked for what is missing: only for a new set. */
  asks: boolean
}

function prepare(options: DeployOptions, kind: Kind): Prepared {
  if (options.force && options.keep) throw wrongUse('--force and --keep exclude each other.')
  if (options.dryRun && options.apply) throw wrongUse('--dry-run and --apply exclude each other.')
  const dir = resolve(options.directory)
  const state = readState(dir, kind)
  if (!state && existsSync(dir) && readdirSync(dir).length > 0 && !options.force) {
    throw new CommandError(`${dir} holds other things: take another --directory, or say --force.`)
  }
  return { dir, state, asks: !state && !options.yes && !options.json && isInteractive() }
}

type ComposeOptions = DeployOptions & { domain?: string; with?: string; bind?: string; packages?: string }

async function deployCompose(options: ComposeOptions): Promise<void> {
  const answers: ComposeAnswers = {
    domain: checkDomain(options.domain),
    with: checkExtras(options.with),
    bind: checkBind(options.bind),
  }
  const tarballs = options.packages === undefined ? undefined : packedPackages(options.packages)
  const { dir, state, asks } = prepare(options, 'compose')
  if (asks) {
    answers.domain ??= checkDomain(await askDomain())
    answers.with ??= await askExtras()
  }
  const set = composeSet(answers, envInForce(dir, ['.env']))
  await deploy({ dir, state, set, options, answers: {}, tarballs })
}

function packedPackages(dir: string): string[] {
  const tarballs = globSync('**/*.tgz', { cwd: dir }).map((name) => resolve(dir, name))
  if (tarballs.length === 0) throw wrongUse(`--packages: there is no packed package (*.tgz) in ${dir}.`)
  return tarballs
}

type KubernetesOptions = DeployOptions & Omit<KubernetesAnswers, never>

async function deployKubernetes(options: KubernetesOptions): Promise<void> {
  const given = {
    domain: checkDomain(options.domain),
    namespace: checkNamespace(options.namespace),
    image: checkImage(options.image),
    ...servers(options),
  }
  const { dir, state, asks } = prepare(options, 'kubernetes')
  const before = state?.answers ?? {}
  const inForce = envInForce(dir, [settingsPath, secretsPath])
  if (!given.database && !inForce.get('PINSTACK_DATABASE_URL')) {
    given.database = await askText(undefined, { message: 'Postgres URL', flag: '--database' })
    servers(given)
  }
  if (asks) given.domain ??= checkDomain(await askDomain())
  const answers = {
    domain: given.domain ?? before['domain'],
    namespace: given.namespace ?? before['namespace'],
    image: given.image ?? before['image'],
    serviceMonitor: options.serviceMonitor ?? before['serviceMonitor'] === 'yes',
  }
  const set = kubernetesSet({ ...given, ...answers }, inForce)
  await deploy({
    dir,
    state,
    set,
    options,
    answers: remembered({ ...answers, serviceMonitor: answers.serviceMonitor ? 'yes' : undefined }),
  })
}

type SystemdOptions = DeployOptions & SystemdAnswers

async function deploySystemd(options: SystemdOptions): Promise<void> {
  const given = { domain: checkDomain(options.domain), ...servers(options) }
  const { dir, state, asks } = prepare(options, 'systemd')
  if (asks) given.domain ??= checkDomain(await askDomain())
  const domain = given.domain ?? state?.answers['domain']
  const set = systemdSet({ ...given, domain }, envInForce(dir, ['pinstack.env']))
  await deploy({ dir, state, set, options, answers: remembered({ domain }) })
}

/** What is somebody else's to run. */
function servers({ database, redis, kafka }: { database?: string | undefined; redis?: string | undefined; kafka?: string | undefined }) {
  return {
    database: checkUrl(database, { flag: '--database', schemes: ['postgres:', 'postgresql:'] }),
    redis: checkUrl(redis, { flag: '--redis', schemes: ['redis:', 'rediss:'] }),
    kafka: checkBrokers(kafka),
  }
}

function remembered(answers: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(answers).filter((entry): entry is [string, string] => !!entry[1]))
}
