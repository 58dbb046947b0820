import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromMessage, toMessage } from './kafka-messages.ts'

const event = {
  id: '17',
  type: 'follow_created',
  key: 2,
  payload: { follower_id: 1, followee_id: 2, timestamptz: '2026-01-01T00:00:00.000Z' },
  createdAt: '2026-01-01T09:08:07.120Z',
}
const bytes = ({ key, value, headers }: ReturnType<typeof toMessage>) => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
})

it('an event of relation-events lies there as it always has', () => {
  expect(toMessage(event, 'go')).toEqual({
    key: '2',
    value: '{"follower_id":1,"followee_id":2,"timestamptz":"2026-01-01T00:00:00.000Z"}',
    headers: { event_id: '17', event_type: 'follow_created', created_at: '2026-01-01 09:08:07.12 +0000 UTC' },
  })
  const whole = toMessage({ ...event, createdAt: '2026-01-01T09:08:07.000Z' }, 'go')
  expect(whole.headers.created_at).toBe('2026-01-01 09:08:07 +0000 UTC')
})

it('other events have ISO times, and the trace where there is one', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  expect(toMessage({ ...event, traceparent }, 'iso').headers).toEqual({
    event_id: '17',
    event_type: 'follow_created',
    created_at: '2026-01-01T09:08:07.120Z',
    traceparent,
  })
})

it('what is written is what is read, in either form', () => {
  const any = fc.record({
    id: fc.nat().map(String),
    type: fc.constantFrom('a', 'b_c'),
    key: fc.nat(),
    payload: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
    createdAt: fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString()),
  })
  fc.assert(
    fc.property(any, fc.constantFrom('iso', 'go'), (event, times) => {
      expect(fromMessage(bytes(toMessage(event, times)))).toEqual(event)
    }),
  )
})

it('what is no event is known as such', () => {
  const good = bytes(toMessage(event, 'iso'))
  const broken = {
    'no key': { ...good, key: null },
    'an empty key': { ...good, key: Buffer.from('') },
    'a key that is no user': { ...good, key: Buffer.from('follow_created') },
    'no value': { ...good, value: null },
    'a value that is no JSON': { ...good, value: Buffer.from('{') },
    'no headers': { key: good.key, value: good.value },
    'no id': { ...good, headers: { ...good.headers, event_id: undefined } },
    'an empty type': { ...good, headers: { ...good.headers, event_type: Buffer.from('') } },
    'a time that is none': { ...good, headers: { ...good.headers, created_at: Buffer.from('yesterday') } },
  }
  expect(fromMessage(good)).toEqual(event)
  for (const [what, message] of Object.entries(broken)) expect([what, fromMessage(message)]).toEqual([what, undefined])
})
