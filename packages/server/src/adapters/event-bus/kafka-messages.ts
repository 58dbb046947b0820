import { readTraceparent } from '../../core/correlation.ts'
import type { BusEvent } from '../../ports/event-bus.ts'

/** An event as it lies in a topic. */
export interface EventMessage {
  key: string
  value: string
  headers: Record<string, string>
}

/** What a client reads of a message: bytes, and nothing is certain. */
export interface ReadMessage {
  key?: Buffer | string | null | undefined
  value: Buffer | string | null
  headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined> | undefined
}

export function toMessage({ id, type, key, payload, createdAt, traceparent }: BusEvent, times: 'iso' | 'go'): EventMessage {
  return {
    key: String(key),
    value: JSON.stringify(payload),
    headers: {
      event_id: id,
      event_type: type,
      created_at: times === 'go' ? goTime(createdAt) : createdAt,
      ...(traceparent && { traceparent }),
    },
  }
}

/** Undefined for what is not an event: whoever else writes into the topic does not stop those who read it. */
export function fromMessage({ key, value, headers = {} }: ReadMessage): BusEvent | undefined {
  const header = (name: string) => {
    const [first] = [headers[name] ?? []].flat()
    return first?.toString()
  }
  const [id, type, traceparent] = [header('event_id'), header('event_type'), readTraceparent(header('traceparent'))]
  const createdAt = isoOf(header('created_at') ?? '')
  const user = Number(key?.toString() || Number.NaN)
  if (!id || !type || !createdAt || !Number.isSafeInteger(user)) return
  try {
    return {
      id,
      type,
      key: user,
      payload: JSON.parse(value!.toString()),
      createdAt,
      ...(traceparent && { traceparent }),
    }
  } catch {
    return
  }
}

/** As Go prints a time, which the readers of `relation-events` have had from the beginning: `2026-01-01 00:00:00.12 +0000 UTC`. */
function goTime(iso: string): string {
  const fraction = iso.slice(20, 23).replace(/0+$/, '')
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction && `.${fraction}`} +0000 UTC`
}

const goForm = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? \+0000 UTC$/
const isoForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

function isoOf(text: string): string | undefined {
  if (isoForm.test(text)) return text
  const [, date, time, fraction = ''] = goForm.exec(text) ?? []
  return date && `${date}T${time}.${fraction.padEnd(3, '0').slice(0, 3)}Z`
}
