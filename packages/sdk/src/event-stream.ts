/** The part of a response's `body` that is used. */
export interface ByteStream {
  /** Reads chunk by chunk. */
  getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>; cancel(reason?: unknown): Promise<unknown> }
}

export interface ServerEvent {
  event: string
  data: string
  /** Undefined when it has none of its own. */
  id: string | undefined
}

/** Of one event. What is longer is not what a Pinstack server sends. */
const eventCharsMax = 1024 * 1024

/**
 * Reads server-sent events (HTML standard, 9.2.6). Ends with the stream; an event that was cut off in the middle counts as none.
 * `onRetry` hears how long the server asks to wait before coming back, `onBytes` that it is there.
 */
export async function* readEvents(
  body: ByteStream,
  { onBytes, onRetry }: { onBytes?(): void; onRetry?(ms: number): void } = {},
): AsyncGenerator<ServerEvent, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let fields: Fields = {}
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      onBytes?.()
      text += decoder.decode(value, { stream: true })
      if (text.length + (fields.data?.length ?? 0) > eventCharsMax) throw new TypeError('an event is too long')
      const lines = text.split(/\r\n|\n|\r(?!$)/) // a carriage return at the end may have its newline in the next chunk
      text = lines.pop()!
      for (const line of lines) {
        if (line === '') {
          if (fields.data !== undefined) yield { event: fields.event ?? 'message', data: fields.data, id: fields.id }
          fields = {}
        } else readField(line, fields, onRetry)
      }
    }
  } finally {
    reader.cancel().catch(() => {}) // it has failed or ended by itself
  }
}

interface Fields {
  event?: string
  data?: string
  id?: string
}

function readField(line: string, fields: Fields, onRetry?: (ms: number) => void): void {
  const colon = line.indexOf(':')
  if (colon === 0) return // a comment
  const name = colon < 0 ? line : line.slice(0, colon)
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
  if (name === 'data') fields.data = fields.data === undefined ? value : `${fields.data}\n${value}`
  else if (name === 'event') fields.event = value
  else if (name === 'id' && !value.includes('\0')) fields.id = value
  else if (name === 'retry' && /^\d+$/.test(value)) onRetry?.(Number(value))
}
