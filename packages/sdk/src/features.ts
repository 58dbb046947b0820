import type { Call } from './call.ts'
import type { CallOptions } from './transport.ts'

/**
 * The procedures of the features that a server has beside Pinstack's own, by feature: `pinstack.features.reaction.add.mutate(…)`. `App`
 * is the type of the server; without it nothing is known of them.
 *
 * @example
 * ```ts
 * // in the server's program: export type App = typeof server
 * import type { App } from './server.js'
 *
 * const pinstack = createPinstack<App>({ url: 'http://127.0.0.1:8080' })
 * const { added } = await pinstack.features.reaction.add.mutate({ postId: 1, kind: 'like' })
 * ```
 */
export type Features<App> = App extends { readonly $routers?: infer Routers }
  ? { readonly [Name in keyof NonNullable<Routers>]: CallsOf<RecordOf<NonNullable<Routers>[Name]>> }
  : {}

type RecordOf<Router> = Router extends { _def: { record: infer Procedures } } ? Procedures : never

/** Of a router, as deep as it nests. Subscriptions are left out. */
type CallsOf<Procedures> = {
  readonly [Name in keyof Procedures]: Procedures[Name] extends {
    _def: { type: infer Kind; $types: { input: infer Input; output: infer Output } }
  }
    ? Kind extends 'query'
      ? { query: FeatureCall<Input, Output> }
      : Kind extends 'mutation'
        ? { mutate: FeatureCall<Input, Output> }
        : never
    : CallsOf<Procedures[Name]>
}

/** A call to a procedure of a feature. It renews the session, is cut off by `signal` and rejects with a `PinstackError`, as all calls do. */
export type FeatureCall<Input, Output> = undefined extends Input
  ? (input?: Input, options?: CallOptions) => Promise<AsJson<Output>>
  : (input: Input, options?: CallOptions) => Promise<AsJson<Output>>

/** What is left of a value when it has been sent: a time is text. */
type AsJson<Value> = Value extends { toJSON(): infer Sent }
  ? Sent
  : Value extends readonly unknown[] | object
    ? { [Key in keyof Value]: AsJson<Value[Key]> }
    : Value

const kinds = { query: 'query', mutate: 'mutation' } as const

/** No name is known when it runs: whatever is asked for is a path, up to the word that calls it. */
export function createFeatures<App>(callAs: (kind: 'query' | 'mutation') => Call): Features<App> {
  const calls = { query: callAs('query'), mutation: callAs('mutation') }
  const at = (path: string): object =>
    new Proxy(
      {},
      {
        get(_, name) {
          if (typeof name !== 'string' || name === 'then') return undefined // it is no promise, whoever awaits it
          if (path.includes('.') && Object.hasOwn(kinds, name)) {
            const call = calls[kinds[name as keyof typeof kinds]]
            return (input: unknown, options?: CallOptions) => call(path as never, input as never, options)
          }
          return at(path === '' ? name : `${path}.${name}`)
        },
      },
    )
  return at('') as Features<App>
}
