import { execFile } from 'node:child_process'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Config } from '../../src/config.ts'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { createServer } from '../../src/server.ts'
import { createLogger } from '../../src/surfaces/logging.ts'
import { ownKafkaNames } from '../kafka.ts'
import { call, quietly, register, testConfig } from '../serve.ts'
import { metric } from './fleet.ts'
import { readTopic } from './read-topic.ts'
import { startSecuredKafka, type SecuredKafka } from './secured-kafka.ts'

const pinstack = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url))
const wrongPassword = 'wrong-4711-geheim'
const soon = { timeout: 30_000, interval: 20 }

type Settings = Record<string, string>
/** What an operator writes. */
type Way = (kafka: SecuredKafka) => Settings

const tls = ({ files }: SecuredKafka): Settings => ({ 'kafka.tls.enabled': 'true', 'kafka.tls.caFile': files.ca })
const signIn = ({ username, password }: SecuredKafka, mechanism: string): Settings => ({
  'kafka.sasl.mechanism': mechanism,
  'kafka.sasl.username': username,
  'kafka.sasl.password': password,
})
const at = (brokers: string): Settings => ({ 'kafka.brokers': brokers })
const showing = (cert: string, key: string): Settings => ({ 'kafka.tls.certFile': cert, 'kafka.tls.keyFile': key })

const goodWays: Record<string, Way> = {
  TLS: (kafka) => ({ ...at(kafka.addresses.tls), ...tls(kafka) }),
  'TLS on both sides': (kafka) => ({
    ...at(kafka.addresses.mutual),
    ...tls(kafka),
    ...showing(kafka.files.clientCert, kafka.files.clientKey),
  }),
  ...Object.fromEntries(
    ['plain', 'scram-sha-256', 'scram-sha-512'].map((mechanism): [string, Way] => [
      mechanism,
      (kafka) => ({ ...at(kafka.addresses.signIn), ...tls(kafka), ...signIn(kafka, mechanism) }),
    ]),
  ),
}

const wrongly = (kafka: SecuredKafka, mechanism: string): Settings => ({
  ...at(kafka.addresses.signIn),
  ...tls(kafka),
  ...signIn(kafka, mechanism),
  'kafka.sasl.password': wrongPassword,
})
const signInRefused = ['the broker does not accept the sign-in', 'correct kafka.sasl.username and kafka.sasl.password'] as const
const untrusted = [
  'the certificate of the broker is not signed by anyone known here',
  'name the file of those who sign it in kafka.tls.caFile',
] as const

/** What is wrong, with what Pinstack says of it and what it says to do. */
const badWays: Record<string, readonly [what: string, way: string, Way]> = {
  'a wrong password, plain': [...signInRefused, (kafka) => wrongly(kafka, 'plain')],
  'a wrong password, scram-sha-256': [...signInRefused, (kafka) => wrongly(kafka, 'scram-sha-256')],
  'a wrong password, scram-sha-512': [...signInRefused, (kafka) => wrongly(kafka, 'scram-sha-512')],
  'a certificate of an authority that is not the one named': [
    ...untrusted,
    (kafka) => ({ ...at(kafka.addresses.tls), ...tls(kafka), 'kafka.tls.caFile': kafka.files.otherCa }),
  ],
  'a certificate of an authority that nobody knows': [
    ...untrusted,
    (kafka) => ({ ...at(kafka.addresses.tls), 'kafka.tls.enabled': 'true' }),
  ],
  'a certificate for another name': [
    'the certificate of the broker is for another name',
    'write kafka.brokers, and advertised.listeners of the brokers, with a name that is in it',
    (kafka) => ({ ...at(kafka.addresses.tls.replace('127.0.0.1', 'localhost')), ...tls(kafka) }),
  ],
  'TLS at a plain listener': [
    'the broker ends the connection before TLS is agreed on, as one does that speaks none there',
    'correct the port in kafka.brokers, or set kafka.tls.enabled to false',
    (kafka) => ({ ...at(kafka.addresses.open), ...tls(kafka) }),
  ],
  'no TLS at a listener that wants it': [
    'the broker speaks nothing but TLS there',
    'set kafka.tls.enabled to true, or correct the port in kafka.brokers',
    (kafka) => at(kafka.addresses.tls),
  ],
  'no TLS, and a password, at a listener that wants both': [
    'the broker speaks nothing but TLS there',
    'set kafka.tls.enabled to true, or correct the port in kafka.brokers',
    (kafka) => ({ ...at(kafka.addresses.signIn), ...signIn(kafka, 'scram-sha-512') }),
  ],
  'no certificate where one is wanted': [
    'the broker wants to see a certificate',
    'give kafka.tls.certFile and kafka.tls.keyFile',
    (kafka) => ({ ...at(kafka.addresses.mutual), ...tls(kafka) }),
  ],
  'a certificate that the broker does not know': [
    'the broker does not accept the certificate of Pinstack',
    'give one in kafka.tls.certFile that is signed by whom the broker knows',
    (kafka) => ({ ...at(kafka.addresses.mutual), ...tls(kafka), ...showing(kafka.files.otherCert, kafka.files.otherKey) }),
  ],
  'no sign-in where one is wanted': [
    'the broker ends the connection instead of answering, as one does that wants a sign-in',
    'give kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password',
    (kafka) => ({ ...at(kafka.addresses.signIn), ...tls(kafka) }),
  ],
  'a sign-in where none is taken': [
    'the broker takes no sign-in there',
    'leave out kafka.sasl, or correct the port in kafka.brokers',
    (kafka) => ({ ...at(kafka.addresses.tls), ...tls(kafka), ...signIn(kafka, 'plain') }),
  ],
  'a kind of sign-in that the broker does not offer': [
    'the broker does not offer this kind of sign-in',
    'correct kafka.sasl.mechanism',
    (kafka) => ({ ...at(kafka.addresses.oneKind), ...tls(kafka), ...signIn(kafka, 'plain') }),
  ],
}

describe('a Kafka that asks who is there', () => {
  let kafka: SecuredKafka
  beforeAll(async () => {
    kafka = await startSecuredKafka()
  })
  afterAll(() => kafka?.remove())

  /** A server of everything, and what it logs. */
  async function start(config: Config) {
    const lines: { msg: string; err?: { type: string; message: string } }[] = []
    let text = ''
    const destination = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk)
        lines.push(
          ...String(chunk)
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
        ) // prettier-ignore
        done()
      },
    })
    const server = await createServer(config, { ...quietly, logger: createLogger({ level: 'trace', destination }) })
    onTestFinished(() => server.close())
    return { ...(await server.listen()), lines, text: () => text }
  }

  function settingsOf(way: Way): Settings {
    return { ...ownKafkaNames(['']), ...way(kafka) }
  }

  function expectNoSecret(text: string): void {
    for (const secret of [kafka.password, wrongPassword]) {
      const forms = [secret, JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString('base64'), encodeURIComponent(secret)]
      for (const form of forms) expect(text).not.toContain(form)
    }
    expect(text).not.toContain('PRIVATE KEY')
  }

  for (const [name, way] of Object.entries(goodWays)) {
    it(`lets in who comes as it wants, by ${name}: a follow reaches the topic, and its notification comes of it`, async () => {
      const settings = settingsOf(way)
      const config = testConfig(settings)
      const { apiUrl, metricsUrl, text } = await start(config)
      const [ann, bob] = [(await register(apiUrl, 'ann')).body.data, (await register(apiUrl, 'bob')).body.data]
      const me = async (token: string) => (await call(apiUrl, 'GET', '/api/v1/auth/me', { token })).body.data.id as number
      const bobId = await me(bob.access_token)
      const follow = await call(apiUrl, 'POST', '/api/v1/relation/follow', { token: ann.access_token, body: { followee_id: bobId } })
      expect(follow.status).toBe(200)
      const unread = async () => (await call(apiUrl, 'GET', '/api/v1/notification/unread-count', { token: bob.access_token })).body.data
      await expect.poll(async () => (await unread()).count, soon).toBe(1)
      expect(await metric(metricsUrl, 'events_published_total', '{bus="kafka",type="follow_created"}')).toBe(1)
      expect((await readTopic([kafka.addresses.open], settings['kafka.topics.relation']!)).map(({ key }) => key)).toEqual([bobId])

      expect((await diagnose(config)).filter(({ check }) => check === 'kafka')).toEqual([
        { check: 'kafka', status: 'good', found: `The brokers at ${settings['kafka.brokers']} answer.` },
      ])
      const checked = await checkConfig(settings)
      expect([checked.exitCode, checked.stdout]).toEqual([0, expect.stringContaining(`${settings['kafka.brokers']}: connected`)])
      expectNoSecret(text() + checked.stdout + checked.stderr)
    })
  }

  for (const [name, [what, way, settingsFor]] of Object.entries(badWays)) {
    it(`says what is wrong and which setting mends it: ${name}; and requests are answered`, async () => {
      const settings = settingsOf(settingsFor)
      const config = testConfig(settings)
      const { apiUrl, metricsUrl, lines, text } = await start(config)
      const told = () => lines.filter(({ err }) => err?.type === 'KafkaRefusal').map(({ msg, err }) => `${msg}: ${err!.message}`)
      expect((await register(apiUrl, 'ann')).status).toBe(201)
      await expect
        .poll(told, soon)
        .toEqual(
          expect.arrayContaining([
            `publisher failed, and is tried again: ${what}: ${way}`,
            `the Kafka consumer has failed, and is started again: ${what}: ${way}`,
          ]),
        )
      expect((await register(apiUrl, 'bob')).status).toBe(201)
      expect(await metric(metricsUrl, 'background_failures_total', '{part="publisher"}')).toBeGreaterThan(0)

      const brokers = settings['kafka.brokers']
      const found = await diagnose(config)
      expect(found.filter(({ check }) => check === 'kafka')).toEqual([
        {
          check: 'kafka',
          status: 'wrong',
          found: `Kafka at ${brokers} cannot be used: ${what}.`,
          fix: `${way[0]!.toUpperCase()}${way.slice(1)}. Until then events wait in the outbox; nothing is lost.`,
        },
      ])
      const checked = await checkConfig(settings)
      expect(checked).toEqual({
        exitCode: 1,
        stdout: '',
        stderr: `pinstack: Kafka at ${brokers} cannot be used, ${what}: ${way}.\n`,
      })
      expect((await call(apiUrl, 'GET', '/readyz')).status).toBe(200)
      expect(told()).toHaveLength(2) // once each, though both go on trying
      expectNoSecret(text() + JSON.stringify(found))
    })
  }

  /** The command itself, with the password where a production set has it. */
  function checkConfig(settings: Settings): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const password = settings['kafka.sasl.password']
    const { data } = testConfig()
    const flags = Object.entries({ ...settings, 'data.dir': data.dir })
      .filter(([key]) => key !== 'kafka.sasl.password')
      .flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const env = { ...process.env, ...(password && { PINSTACK_KAFKA_SASL_PASSWORD: password }) }
    const args = ['--conditions=@pinstack/source', pinstack, 'config', 'check', ...flags]
    return new Promise((resolve) => {
      execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
        resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr })
      })
    })
  }
})
