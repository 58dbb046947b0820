/** A committed event on its way to a consumer. Everything is plain JSON, so that it can cross a network. */
export interface BusEvent {
  /** Stable and unique; the same event has the same id however often it is handed over. */
  id: string
  type: string
  /** The user whom the event concerns; events of one key keep their order. */
  key: number
  payload: unknown
  /** ISO-8601, of the transaction that wrote it. */
  createdAt: string
  /** The trace that it belongs to (W3C Trace Context), where one is known. */
  traceparent?: string | null | undefined
}

/**
 * Hands committed events to groups of consumers. Each group is handed each event of its types at least once, and those of one
 * key in the order in which they were committed; it starts where it stopped, also after a crash. A new group starts at the
 * oldest event that is kept.
 *
 * Several openings (processes) may serve one group. Where a bus divides events by what they are about, the order of a key
 * holds among events of one division: a group whose effects depend on the order takes types of one division.
 */
export interface EventBus {
  /**
   * Starts handing events to `handle`, a batch at a time: those of `types`, and it may be others too, to be passed by. A batch
   * counts as taken when `handle` resolves; when it rejects, the same events come again, after a pause. What a single event may
   * do to its neighbours is the consumer's affair. Resolves without waiting for a broker that is away: it is waited for.
   */
  subscribe(group: string, types: readonly string[], handle: (events: BusEvent[]) => Promise<void>): Promise<void>
  /** How many events that are on the bus the group has not taken yet. Rejects when that cannot be known now. */
  lag(group: string): Promise<number>
  /** Lets running batches finish, and hands over no more. */
  close(): Promise<void>
}
