import type { App } from '../compose.ts'
import type { Client } from '../core/client.ts'
import type { Viewer } from '../core/viewer.ts'
import type { TokenPair } from '../features/auth/auth.ts'
import type { ActionName, Actions } from './hooks.ts'

export interface ActionCall {
  viewer: Pick<Viewer, 'id'> | null
  client?: Client | null
  input: object
}

/** Runs what comes before, then `work` with what became of the input, then what comes after, which is told what `tell` makes of the result. */
export type RunAction = <Input extends object, Result>(
  call: ActionCall & { input: Input },
  work: (input: Input) => Promise<Result>,
  tell?: (result: Result) => Promise<unknown>,
) => Promise<Result>

/**
 * How each action is taken hold of: the service's own function is replaced on the object that every surface calls it by, so an action
 * that nobody hooks costs nothing.
 */
export const hookedActions: { readonly [Name in ActionName]: (app: App, run: RunAction) => void } = {
  'auth.register'({ auth }, run) {
    const { register } = auth
    auth.register = (input, client) => run({ viewer: null, client, input }, (input) => register(input, client), signedInBy(auth))
  },
  'auth.login'({ auth }, run) {
    const { login } = auth
    auth.login = (input, client) => run({ viewer: null, client, input }, (input) => login(input, client), signedInBy(auth))
  },
  'users.create'({ users }, run) {
    const { create } = users
    users.create = (viewer, input) => run({ viewer, input }, (input) => create(viewer, input))
  },
  'users.update'({ users }, run) {
    const { update } = users
    users.update = (viewer, userId, changes) =>
      run({ viewer, input: { ...changes, userId } }, ({ userId, ...changes }) => update(viewer, userId, changes))
  },
  'users.delete'({ users }, run) {
    const { remove } = users
    users.remove = (viewer, userId) => run({ viewer, input: { userId } }, ({ userId }) => remove(viewer, userId))
  },
  'posts.create'({ posts }, run) {
    const { create } = posts
    posts.create = (viewer, input) => run({ viewer, input }, (input) => create(viewer, input))
  },
  'posts.update'({ posts }, run) {
    const { update } = posts
    posts.update = (viewer, id, changes) => run({ viewer, input: { ...changes, id } }, ({ id, ...changes }) => update(viewer, id, changes))
  },
  'posts.delete'({ posts }, run) {
    const { remove } = posts
    posts.remove = (viewer, id) => run({ viewer, input: { id } }, ({ id }) => remove(viewer, id))
  },
  'relations.follow'({ relations }, run) {
    const { follow } = relations
    relations.follow = (id, userId) => run({ viewer: { id }, input: { userId } }, ({ userId }) => follow(id, userId))
  },
  'relations.unfollow'({ relations }, run) {
    const { unfollow } = relations
    relations.unfollow = (id, userId) => run({ viewer: { id }, input: { userId } }, ({ userId }) => unfollow(id, userId))
  },
  'notifications.send'({ notifications }, run) {
    const { send } = notifications
    notifications.send = (viewer, input) => run({ viewer, input }, (input) => send(viewer, input))
  },
}

/** Tokens are no hook's business: it is told who signed in. */
function signedInBy({ authenticate }: App['auth']) {
  return async ({ accessToken }: TokenPair): Promise<Actions['auth.login']['result']> => {
    const { id: userId, sessionId } = await authenticate(accessToken)
    return { userId, sessionId }
  }
}
