import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'

export interface ReadEvent {
  id: string
  event: string
  data: any
}

export interface OpenStream {
  status: number
  headers: IncomingHttpHeaders
  /** The very text that came. */
  text(): string
  events(): ReadEvent[]
  lastEventId(): string | undefined
  /** Resolves when the connection has ended, by whichever side. */
  ended: Promise<void>
  response: IncomingMessage
  close(): void
}

/** A client of a plain event stream, over a socket of its own. `onEvents` is called whenever some have come. */
export function openEvents(
  url: string,
  { token, lastEventId, method = 'GET' }: { token?: string; lastEventId?: string | undefined; method?: string } = {},
): Promise<OpenStream> {
  const headers = {
    accept: 'text/event-stream',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  }
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false })
    asked.once('error', reject)
    asked.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk))
      const ended = new Promise<void>((done) => response.once('close', done))
      response.on('error', () => {}) // cut off
      const events = () => readEvents(text)
      resolve({
        status: response.statusCode!,
        headers: response.headers,
        text: () => text,
        events,
        lastEventId: () => events().at(-1)?.id ?? lastEventId,
        ended,
        response,
        close: () => void asked.destroy(),
      })
    })
    asked.end()
  })
}

/** What a client dispatches of it: HTML standard, 9.2.6. What is cut off in the middle counts as nothing. */
function readEvents(text: string): ReadEvent[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .flatMap((block) => {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s).slice(0, 2)))
      return fields.data === undefined ? [] : [{ id: fields.id, event: fields.event, data: JSON.parse(fields.data) }]
    })
}
