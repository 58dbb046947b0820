import type { AppRouter } from '@pinstack/server'
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import { expectTypeOf, it } from 'vitest'
import type { Procedures } from '../src/procedures.ts'

/** `{ auth: { me: T } }` becomes `{ 'auth.me': T }`, as far as the router nests. */
type Flat<Tree, Routers, Prefix extends string = ''> = {
  [Name in keyof Tree & keyof Routers & string as IsProcedure<Routers[Name]> extends true ? `${Prefix}${Name}` : never]: Tree[Name]
}
type IsProcedure<Node> = Node extends { _def: { procedure: true } } ? true : false
type FlatRouter<Of extends 'input' | 'output'> = Flat<Trees[Of]['auth'], AppRouter['auth'], 'auth.'> &
  Flat<Trees[Of]['auth']['sessions'], AppRouter['auth']['sessions'], 'auth.sessions.'> &
  Flat<Trees[Of]['users'], AppRouter['users'], 'users.'>
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
type ProcedureAt<Path> = Path extends `auth.sessions.${infer Name}`
  ? AppRouter['auth']['sessions'][Name & keyof AppRouter['auth']['sessions']]
  : Path extends `auth.${infer Name}`
    ? AppRouter['auth'][Name & keyof AppRouter['auth']]
    : Path extends `users.${infer Name}`
      ? AppRouter['users'][Name & keyof AppRouter['users']]
      : never

it('has the procedures, inputs and outputs of the router, and no others', () => {
  // The others have no calls of their own here yet; an app reaches them over REST or tRPC.
  expectTypeOf<Exclude<keyof AppRouter['_def']['record'], 'posts' | 'relations' | 'notifications' | 'live'>>().toEqualTypeOf<
    'auth' | 'users'
  >()
  expectTypeOf<keyof Procedures | LeftOut>().toEqualTypeOf<keyof FlatRouter<'input'>>()
  expectTypeOf<Ours<'input'>>().toEqualTypeOf<Plain<Omit<FlatRouter<'input'>, LeftOut>>>()
  expectTypeOf<Ours<'output'>>().toEqualTypeOf<NothingIsVoid<Omit<FlatRouter<'output'>, LeftOut>>>()
  expectTypeOf<{ [Path in keyof Procedures]: Procedures[Path]['kind'] }>().toEqualTypeOf<Plain<Omit<Kind, LeftOut>>>()
})
