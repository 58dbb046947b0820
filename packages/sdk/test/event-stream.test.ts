import { describe, expect, it } from 'vitest'
import { readEvents, type ServerEvent } from '../src/event-stream.ts'

/** The events of a stream that comes in these pieces. */
async function read(pieces: (string | Uint8Array)[]) {
  const retries: number[] = []
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece)
      controller.close()
    },
  })
  const events: ServerEvent[] = []
  for await (const event of readEvents(body, { onRetry: (ms) => void retries.push(ms) })) events.push(event)
  return { events, retries }
}

describe('server-sent events', () => {
  const text =
    'retry: 1500\n\n: comment\nevent: word\nid: 7\ndata: {"a":"ü😀"}\n\ndata:two\ndata: lines\n\nevent: none\nid: 8\n\nid: 9\r\ndata: x\r\n\r\n\n\ndata\n\ndata: cut off'
  const expected = [
    { event: 'word', data: '{"a":"ü😀"}', id: '7' },
    { event: 'message', data: 'two\nlines', id: undefined },
    { event: 'message', data: 'x', id: '9' },
    { event: 'message', data: '', id: undefined },
  ]

  it('are read as the standard says, wherever the pieces of the stream end', async () => {
    expect(await read([text])).toEqual({ events: expected, retries: [1500] })
    const bytes = new TextEncoder().encode(text)
    for (let at = 1; at < bytes.length; at++) expect((await read([bytes.slice(0, at), bytes.slice(at)])).events).toEqual(expected)
    expect((await read(Array.from(bytes, (byte) => Uint8Array.of(byte)))).events).toEqual(expected)
  })

  it('have a limit', async () => {
    await expect(read([`data: ${'x'.repeat(2_000_000)}`])).rejects.toThrow('too long')
    await expect(read(Array(2_000).fill(`data: ${'x'.repeat(1_000)}\n`))).rejects.toThrow('too long')
  })
})
