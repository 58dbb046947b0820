import pino, { type DestinationStream, type Logger } from 'pino'

export type { Logger } from 'pino'

const bufferBytesMax = 16 * 1024 * 1024 // a reader that has stopped reading costs lines, then, and not the server's memory
const flushMs = 100

/**
 * One JSON object a line: `time` (ISO 8601), `level` (a word), `msg`, and `request_id`, `user_id` where they apply; `err` for an
 * error and its causes. Lines are gathered for up to 100 ms and written off the event loop; what is left is written when the
 * process ends.
 */
export function createLogger({ level, destination }: { level: string; destination?: DestinationStream }): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError, error: describeError },
    hooks: { streamWrite: scrub },
  }, destination ?? pino.destination({ dest: 1, sync: false, minLength: 4096, maxLength: bufferBytesMax, periodicFlush: flushMs }))
}

const causesMax = 5

/** @NOTE no other member of an error is logged: drivers put rows, parameters and connection strings into theirs. */
function describeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: String(error) }
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  return {
    type: error.name,
    ...(typeof code === 'string' && { code }),
    message: error.message,
    stack: error.stack,
    ...(cause !== undefined && depth < causesMax && { cause: describeError(cause, depth + 1) }),
  }
}

// Nothing should log a secret. Should something, this is the net below: by name at any depth, and by form anywhere.
// @NOTE not pino's `redact`: its wildcards, without which it sees the top level only, cost five times the line itself.
const secretMember = /"([\w-]*(?:password|token|secret|authorization|cookie|email|hash)[\w-]*|login)":"(?:[^"\\]|\\.)*"/gi
const email = /[^\s"'<>()=:,;\\/@]+@[^\s"'<>()=:,;\\/@]+\.[\p{L}\p{N}-]+/gu
const urlPassword = /:\/\/[^\s"'/@]*@/g
const jwt = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g
const bearer = /\bBearer [^\s"'\\]+/gi

function scrub(line: string): string {
  let clean = line.replaceAll(secretMember, '"$1":"[redacted]"')
  if (clean.includes('@')) clean = clean.replaceAll(urlPassword, '://[redacted]@').replaceAll(email, '[e-mail]')
  if (clean.includes('eyJ')) clean = clean.replaceAll(jwt, '[token]')
  if (clean.includes('earer ')) clean = clean.replaceAll(bearer, 'Bearer [token]')
  return clean
}
