import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts, startKafkaBroker, type KafkaBroker } from './kafka-broker.ts'

export interface SecuredKafka {
  broker: KafkaBroker
  /** Where it listens, by what it wants to see there. */
  addresses: {
    /** Nothing, and nothing is encrypted. */
    open: string
    /** TLS, from anybody. */
    tls: string
    /** TLS, and a certificate that `ca` has signed. */
    mutual: string
    /** TLS, and a sign-in with a password, of each kind that Pinstack knows. */
    signIn: string
    /** The same, of one kind: `scram-sha-512`. */
    oneKind: string
  }
  /** Paths of PEM files. */
  files: {
    /** Has signed the broker's certificate. */
    ca: string
    clientCert: string
    clientKey: string
    /** Of another authority: what it has signed, this broker does not know; and who trusts only it does not know the broker. */
    otherCa: string
    otherCert: string
    otherKey: string
  }
  username: string
  password: string
  remove(): Promise<void>
}

const username = 'pinstack-client'
/** With what the sign-in and its configuration have a meaning for. */
const password = 'grün,=/+4711-geheim'

const login = 'sasl.jaas.config=org.apache.kafka.common.security'

/** A Kafka whose listeners ask who is there. Its certificates are made here, and are good for a day. */
export async function startSecuredKafka(): Promise<SecuredKafka> {
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-certificates-'))
  const removeFiles = () => rmSync(dir, { recursive: true, force: true })
  try {
    const [ca, otherCa] = [await makeAuthority(dir, 'ca'), await makeAuthority(dir, 'other-ca')]
    const server = await sign(dir, { name: 'broker', by: ca, altName: 'IP:127.0.0.1' })
    const client = await sign(dir, { name: 'client', by: ca, altName: `DNS:${username}` })
    const other = await sign(dir, { name: 'other-client', by: otherCa, altName: `DNS:${username}` })
    const [tlsPort, mutualPort, signInPort, oneKindPort] = (await freePorts(4)) as [number, number, number, number]
    const broker = await startKafkaBroker({
      properties({ port, controllerPort }) {
        const listeners = { PLAINTEXT: port, TLS: tlsPort, MUTUAL: mutualPort, SIGNIN: signInPort, ONEKIND: oneKindPort }
        const at = Object.entries(listeners).map(([name, at]) => `${name}://127.0.0.1:${at}`)
        const pem = (file: string) => readFileSync(file, 'utf8').trim().replaceAll('\n', '\\n')
        return [
          `listeners=${[...at, `CONTROLLER://127.0.0.1:${controllerPort}`].join(',')}`,
          `advertised.listeners=${at.join(',')}`,
          'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,MUTUAL:SSL,SIGNIN:SASL_SSL,ONEKIND:SASL_SSL',
          'ssl.keystore.type=PEM',
          `ssl.keystore.certificate.chain=${pem(server.cert)}`,
          `ssl.keystore.key=${pem(server.key)}`,
          'ssl.truststore.type=PEM',
          `ssl.truststore.certificates=${pem(ca.cert)}`,
          'listener.name.mutual.ssl.client.auth=required',
          'listener.name.signin.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
          'listener.name.onekind.sasl.enabled.mechanisms=SCRAM-SHA-512',
          `listener.name.signin.plain.${login}.plain.PlainLoginModule required user_${username}="${escaped(password)}";`,
          ...['signin.scram-sha-256', 'signin.scram-sha-512', 'onekind.scram-sha-512'].map(
            (where) => `listener.name.${where}.${login}.scram.ScramLoginModule required;`,
          ),
        ]
      },
    })
    const remove = async () => {
      await broker.remove()
      removeFiles()
    }
    try {
      for (const bits of ['256', '512']) {
        const credential = `SCRAM-SHA-${bits}=[password=${password}]`
        await broker.configure('--alter', '--add-config', credential, '--entity-type', 'users', '--entity-name', username)
      }
    } catch (error) {
      await remove()
      throw error
    }
    const address = (port: number) => `127.0.0.1:${port}`
    return {
      broker,
      addresses: {
        open: broker.brokers[0]!,
        tls: address(tlsPort),
        mutual: address(mutualPort),
        signIn: address(signInPort),
        oneKind: address(oneKindPort),
      },
      files: {
        ca: ca.cert,
        clientCert: client.cert,
        clientKey: client.key,
        otherCa: otherCa.cert,
        otherCert: other.cert,
        otherKey: other.key,
      },
      username,
      password,
      remove,
    }
  } catch (error) {
    removeFiles()
    throw error
  }
}

/** A file of properties is read as Latin-1. */
const escaped = (text: string) => text.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

interface Pair {
  cert: string
  key: string
}

async function makeAuthority(dir: string, name: string): Promise<Pair> {
  const pair = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) }
  await openssl('req', '-x509', ...newKey, '-keyout', pair.key, '-out', pair.cert, '-days', '1', '-subj', `/CN=${name}`)
  return pair
}

async function sign(dir: string, { name, by, altName }: { name: string; by: Pair; altName: string }): Promise<Pair> {
  const pair = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) }
  const [request, extensions] = [join(dir, `${name}.csr`), join(dir, `${name}.ext`)]
  writeFileSync(extensions, `subjectAltName=${altName}\n`)
  await openssl('req', ...newKey, '-keyout', pair.key, '-out', request, '-subj', `/CN=${name}`)
  const signing = ['-CA', by.cert, '-CAkey', by.key, '-CAcreateserial', '-days', '1', '-extfile', extensions]
  await openssl('x509', '-req', '-in', request, '-out', pair.cert, ...signing)
  return pair
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

async function openssl(...args: string[]): Promise<void> {
  await promisify(execFile)('openssl', args)
}
