import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { STATUS_CODES } from 'node:http'
import { failureText, httpFailures, jsonType } from './envelope.ts'

const statusOfCode: Record<string, keyof typeof httpFailures> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
}

/** Answers what is not even HTTP, in the envelope; there is no request yet, and so no log line and no hook. */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const failed = httpFailures[statusOfCode[error.code ?? ''] ?? 400]
  const requestId = randomUUID()
  const body = failureText(failed, requestId)
  const head = [
    `HTTP/1.1 ${failed.status} ${STATUS_CODES[failed.status]}`,
    `Content-Type: ${jsonType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
