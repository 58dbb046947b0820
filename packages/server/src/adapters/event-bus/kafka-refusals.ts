import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Why a broker and this process do not come together, and the setting that mends it. */
const refusals = {
  untrusted: {
    what: 'the certificate of the broker is not signed by anyone known here',
    way: 'name the file of those who sign it in kafka.tls.caFile',
  },
  outdated: { what: 'the certificate of the broker is not valid today', way: 'renew it at the broker, or set the clock of this machine' },
  otherName: {
    what: 'the certificate of the broker is for another name',
    way: 'write kafka.brokers, and advertised.listeners of the brokers, with a name that is in it',
  },
  noTls: {
    what: 'the broker ends the connection before TLS is agreed on, as one does that speaks none there',
    way: 'correct the port in kafka.brokers, or set kafka.tls.enabled to false',
  },
  onlyTls: {
    what: 'the broker speaks nothing but TLS there',
    way: 'set kafka.tls.enabled to true, or correct the port in kafka.brokers',
  },
  certificateWanted: {
    what: 'the broker wants to see a certificate',
    way: 'give kafka.tls.certFile and kafka.tls.keyFile',
  },
  certificateRefused: {
    what: 'the broker does not accept the certificate of Pinstack',
    way: 'give one in kafka.tls.certFile that is signed by whom the broker knows',
  },
  signInRefused: {
    what: 'the broker does not accept the sign-in',
    way: 'correct kafka.sasl.username and kafka.sasl.password',
  },
  otherMechanism: {
    what: 'the broker does not offer this kind of sign-in',
    way: 'correct kafka.sasl.mechanism',
  },
  noSignIn: { what: 'the broker takes no sign-in there', way: 'leave out kafka.sasl, or correct the port in kafka.brokers' },
  signInWanted: {
    what: 'the broker ends the connection instead of answering, as one does that wants a sign-in',
    way: 'give kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password',
  },
} as const

type Refusal = keyof typeof refusals

/**
 * A broker is there, and does not let Pinstack in. Waiting does not help, a setting does: the message says what is wrong and which,
 * in one sentence without its full stop.
 */
export class KafkaRefusal extends Error {
  override name = 'KafkaRefusal'
  readonly what: string
  readonly way: string

  constructor(refusal: Refusal, cause: unknown) {
    super(sentence(refusal), { cause })
    this.what = refusals[refusal].what
    this.way = refusals[refusal].way
  }
}

const sentence = (refusal: Refusal) => `${refusals[refusal].what}: ${refusals[refusal].way}`

const codePrefix = 'KAFKA_REFUSAL_'
/** What TLS calls a certificate that it finds nobody for; there are more of them than differences that matter. */
const untrustedCodes = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
])

/**
 * Gives the errors of a new socket the sentence and the code of the refusal that they stand for. The client hands on these two of an
 * error and nothing else, so they are changed in place, before it hears of it.
 */
export function witness(socket: Socket, { showsCertificate }: { showsCertificate: boolean }): void {
  let stage: 'apart' | 'connected' | 'agreed' = 'apart'
  let refusal: Refusal | undefined
  socket.once('connect', () => void (stage = 'connected'))
  if (socket instanceof TLSSocket) socket.once('secureConnect', () => void (stage = 'agreed'))
  else {
    socket.once('data', (bytes) => {
      if (!isTlsAlert(bytes)) return
      refusal = 'onlyTls'
      socket.destroy(new Error('an alert of TLS')) // the client would take it for the length of an answer, and wait
    })
  }
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (socket instanceof TLSSocket) refusal = ofTls(error.code ?? '', { isAgreed: stage === 'agreed', showsCertificate })
    if (stage === 'apart' || !refusal) return
    error.message = sentence(refusal)
    error.code = codePrefix + refusal
  })
}

function ofTls(code: string, { isAgreed, showsCertificate }: { isAgreed: boolean; showsCertificate: boolean }): Refusal | undefined {
  if (untrustedCodes.has(code)) return 'untrusted'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return 'outdated'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'otherName'
  if (/^ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA)/.test(code)) return showsCertificate ? 'certificateRefused' : 'certificateWanted'
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || (code === 'ECONNRESET' && !isAgreed)) return 'noTls'
  return undefined
}

/** What a listener with TLS says to a request without: a record of the kind 21, of any version 3. */
function isTlsAlert(bytes: Buffer): boolean {
  return bytes[0] === 21 && bytes[1] === 3
}

const causesMax = 5

/** The refusal that an error of the client stands for, or the error as it is. `wasLetIn`: a broker has answered something before. */
export function explained(error: unknown, { hasSignIn, wasLetIn }: { hasSignIn: boolean; wasLetIn: boolean }): unknown {
  let cause = error as { name?: string; code?: unknown; type?: string; cause?: unknown } | undefined
  for (let depth = 0; cause && depth < causesMax; depth++) {
    if (cause instanceof KafkaRefusal) return cause
    const { name = '', code, type = '' } = cause
    if (typeof code === 'string' && code.startsWith(codePrefix)) return new KafkaRefusal(code.slice(codePrefix.length) as Refusal, error)
    const refusal = ofNames[name] ?? ofNames[type]
    if (refusal) return new KafkaRefusal(refusal, error)
    // That is all that is to be seen of it, and a broker that stops ends connections as well.
    if (name === 'KafkaJSConnectionClosedError' && !hasSignIn && !wasLetIn) return new KafkaRefusal('signInWanted', error)
    cause = cause.cause as typeof cause
  }
  return error
}

/** By the name of the client's error, or that of the protocol's. */
const ofNames: Record<string, Refusal> = {
  KafkaJSSASLAuthenticationError: 'signInRefused',
  SASL_AUTHENTICATION_FAILED: 'signInRefused',
  UNSUPPORTED_SASL_MECHANISM: 'otherMechanism',
  ILLEGAL_SASL_STATE: 'noSignIn',
}
