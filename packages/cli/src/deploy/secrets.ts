import { randomBytes } from 'node:crypto'

/** 256 bits, in letters, digits, `-` and `_`: nothing that a URL, a shell or a file of settings would read as something else. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** An id of a Kafka cluster: 16 bytes. @NOTE Kafka refuses one that begins with `-`. */
export function newClusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newClusterId() : id
}
