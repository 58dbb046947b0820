import type { AppRouter } from '@pinstack/server'
import type { inferProcedureInput, inferProcedureOutput, inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import { expectTypeOf, it } from 'vitest'
import type { Procedures, Subscriptions } from '../src/procedures.ts'

/** `{ auth: { me: T } }` becomes `{ 'auth.me': T }`, as far as the router nests. */
type Flat<Tree, Routers, Prefix extends string = ''> = {
  [Name in keyof Tree & keyof Routers & string as IsProcedure<Routers[Name]> extends true ? `${Prefix}${Name}` : never]: Tree[Name]
}
type IsProcedure<Node> = Node extends { _def: { procedure: true } } ? true : false
type FlatOf<Of extends 'input' | 'output', Name extends keyof AppRouter & keyof Trees[Of] & string> = Flat<
  Trees[Of][Name],
  AppRouter[Name],
  `${Name}.`
>
type FlatRouter<Of extends 'input' | 'output'> = FlatOf<Of, 'auth'> &
  Flat<Trees[Of]['auth']['sessions'], AppRouter['auth']['sessions'], 'auth.sessions.'> &
  FlatOf<Of, 'users'> &
  FlatOf<Of, 'posts'> &
  FlatOf<Of, 'relations'> &
  FlatOf<Of, 'notifications'> &
  FlatAdmin<Of, 'users'> &
  FlatAdmin<Of, 'posts'> &
  FlatAdmin<Of, 'audit'>
type FlatAdmin<Of extends 'input' | 'output', Name extends 'users' | 'posts' | 'audit'> = Flat<
  Trees[Of]['admin'][Name],
  AppRouter['admin'][Name],
  `admin.${Name}.`
>
interface Trees {
  input: inferRouterInputs<AppRouter>
  output: inferRouterOutputs<AppRouter>
}

/** What the SDK leaves out: the first admin is made by the page `/setup`, and by `pinstack admin grant`. */
type LeftOut = 'auth.claimAdmin'

type Ours<Of extends 'input' | 'output'> = { [Path in keyof Procedures]: Procedures[Path][Of] }
/** tRPC says `never` of a procedure that answers nothing. */
type NothingIsVoid<T> = { [Path in keyof T]: [T[Path]] extends [never] ? void : T[Path] }
type Plain<T> = { [Key in keyof T]: T[Key] }
type Kind = { [Path in keyof FlatRouter<'input'>]: ProcedureAt<Path> extends { _def: { type: infer Type } } ? Type : never }
type ProcedureAt<Path> = Path extends `${infer Outer}.${infer Inner}.${infer Name}`
  ? AppRouter[Outer & keyof AppRouter] extends infer Routers
    ? Routers[Inner & keyof Routers] extends infer Procedures
      ? Procedures[Name & keyof Procedures]
      : never
    : never
  : Path extends `${infer Router}.${infer Name}`
    ? AppRouter[Router & keyof AppRouter] extends infer Procedures
      ? Procedures[Name & keyof Procedures]
      : never
    : never

it('has the procedures, inputs and outputs of the router, and no others', () => {
  expectTypeOf<keyof AppRouter['_def']['record']>().toEqualTypeOf<
    'admin' | 'auth' | 'live' | 'notifications' | 'posts' | 'relations' | 'users'
  >()
  expectTypeOf<keyof AppRouter['_def']['record']['admin']>().toEqualTypeOf<'users' | 'posts' | 'audit'>()
  expectTypeOf<keyof Procedures | LeftOut>().toEqualTypeOf<keyof FlatRouter<'input'>>()
  expectTypeOf<Ours<'input'>>().toEqualTypeOf<Plain<Omit<FlatRouter<'input'>, LeftOut>>>()
  expectTypeOf<Ours<'output'>>().toEqualTypeOf<NothingIsVoid<Omit<FlatRouter<'output'>, LeftOut>>>()
  expectTypeOf<{ [Path in keyof Procedures]: Procedures[Path]['kind'] }>().toEqualTypeOf<Plain<Omit<Kind, LeftOut>>>()
})

type LiveRouter = AppRouter['live']
type LiveName = keyof LiveRouter & keyof AppRouter['_def']['record']['live']
/** What each event of a subscription holds, as a client gets it. */
type Events = {
  [Name in LiveName as `live.${Name}`]: inferProcedureOutput<LiveRouter[Name]> extends AsyncIterable<infer Event> ? Event : never
}

it('has the subscriptions of the router, their events, and goes on in the same way', () => {
  expectTypeOf<Subscriptions>().toEqualTypeOf<Plain<Events>>()
  type Resumed = inferProcedureInput<LiveRouter['notifications' | 'relations' | 'posts']>
  // biome-ignore lint/suspicious/noConfusingVoidType: as tRPC says it
  expectTypeOf<Resumed>().toEqualTypeOf<{ lastEventId?: string | undefined } | undefined | void>()
})
