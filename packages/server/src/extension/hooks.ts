import type { App } from '../compose.ts'
import type { Client } from '../core/client.ts'
import { StartError } from '../core/start-error.ts'
import type { Viewer } from '../core/viewer.ts'
import { within } from '../core/within.ts'
import type { Credentials } from '../features/auth/sign-in.ts'
import type { NewNotification } from '../features/notifications/notifications.ts'
import type { NewPost, Post, PostChanges } from '../features/posts/posts.ts'
import type { NewAccount, User, UserChanges } from '../features/users/users.ts'
import type { Logger } from '../surfaces/logging.ts'
import { hookedActions, type ActionCall, type RunAction } from './hooked-actions.ts'

interface Action<Input extends object, Result, By = Viewer> {
  input: Input
  result: Result
  viewer: By
}

/** What can be hooked: named as the tRPC procedures are, whatever surface the request came by. */
export interface Actions {
  /** The input holds the password. */
  'auth.register': Action<NewAccount, { userId: number; sessionId: string }, null>
  /** The input holds the password. */
  'auth.login': Action<Credentials, { userId: number; sessionId: string }, null>
  /** An account that is made for somebody else. The input holds the password. */
  'users.create': Action<NewAccount, User>
  /** Also when the avatar is set. */
  'users.update': Action<UserChanges & { userId: number }, User>
  'users.delete': Action<{ userId: number }, void>
  'posts.create': Action<NewPost, Post>
  'posts.update': Action<PostChanges & { id: number }, Post>
  'posts.delete': Action<{ id: number }, void>
  'relations.follow': Action<{ userId: number }, { created: boolean }, Pick<Viewer, 'id'>>
  'relations.unfollow': Action<{ userId: number }, { removed: boolean }, Pick<Viewer, 'id'>>
  /** What a user sends; not what Pinstack or a feature reports. */
  'notifications.send': Action<NewNotification, { id: number }>
}
export type ActionName = keyof Actions

/** What a hook that comes before an action is given. */
export interface BeforeAction<Name extends ActionName> {
  action: Name
  /** As the surface has read it: of the right types, not yet held against the rules of the action. */
  input: Actions[Name]['input']
  /** Who does it; null where nobody is signed in yet. */
  viewer: Actions[Name]['viewer']
  /** Whence it came; null where the action does not ask. */
  client: Client | null
  logger: Logger
}

/** What a hook that comes after an action is given. No password is in its input. */
export interface AfterAction<Name extends ActionName> extends Omit<BeforeAction<Name>, 'input'> {
  /** What the action was done with, after all changes of hooks. */
  input: Omit<Actions[Name]['input'], 'password'>
  result: Actions[Name]['result']
}

export interface Hook<Name extends ActionName> {
  /**
   * Comes before the action's transaction. May return another input, which is held against the same rules as any; may refuse by throwing
   * a `DomainError`, whose code, kind and text reach the client on every surface. Anything else that it throws answers 500.
   */
  before?(context: BeforeAction<Name>): Actions[Name]['input'] | void | Promise<Actions[Name]['input'] | void>
  /**
   * Comes after the commit, and is waited for, 5 s at most. What it throws is logged and fails nothing. A process that dies between the
   * commit and the hook never runs it: what must happen is a consumer's.
   */
  after?(context: AfterAction<Name>): void | Promise<void>
}

/** Hooks by the action. */
export type Hooks = { readonly [Name in ActionName]?: Hook<Name> }

const afterMsMax = 5_000

/**
 * Puts the hooks around the actions of `app`: from now on they run for whoever calls them. An action without hooks stays as it was.
 *
 * @throws {StartError} for an action that there is not, and for what is no hook.
 */
export function installHooks(app: App, all: readonly Hooks[], logger: Logger): void {
  const byAction = new Map<ActionName, Hook<any>[]>()
  for (const hooks of all) {
    for (const [name, hook] of checked(hooks)) byAction.set(name, [...(byAction.get(name) ?? []), hook])
  }
  for (const [name, hooks] of byAction) hookedActions[name](app, runner(name, hooks, logger))
}

function runner(action: ActionName, hooks: readonly Hook<any>[], logger: Logger): RunAction {
  const befores = hooks.flatMap(({ before }) => before ?? [])
  const afters = hooks.flatMap(({ after }) => after ?? [])

  async function runAfter(
    { password: _, ...input }: any,
    { viewer, client = null }: ActionCall,
    tell: () => Promise<unknown>,
  ): Promise<void> {
    let result: unknown
    for (const after of afters) {
      try {
        const running = (async () => after({ action, input, viewer, client, result: (result ??= await tell()), logger } as never))()
        await within(afterMsMax, running, `the hook after ${action} takes longer than ${afterMsMax / 1000} s`)
      } catch (error) {
        logger.error({ err: error, action }, 'a hook failed after its action')
      }
    }
  }

  return async (call, work, tell = async (result) => result) => {
    const { viewer, client = null } = call
    let input: object = call.input
    for (const before of befores) {
      const changed: unknown = await before({ action, input, viewer, client, logger } as never)
      if (changed === undefined) continue
      if (!isObject(changed)) throw new TypeError(`a hook before ${action} returned what is no input`)
      input = changed
    }
    const result = await work(input as never)
    if (afters.length > 0) await runAfter(input, call, () => tell(result))
    return result
  }
}

const sides = ['before', 'after']

function checked(hooks: unknown): [ActionName, Hook<any>][] {
  if (!isObject(hooks)) throw new StartError(`hooks must be an object of hooks by action: { 'posts.create': { before() {} } }.`)
  return Object.entries(hooks).map(([name, hook]) => {
    const actions = Object.keys(hookedActions)
    if (!actions.includes(name)) throw new StartError(`There is no action ${name} to hook: there are ${actions.join(', ')}.`)
    if (!isObject(hook)) throw new StartError(`The hook of ${name} must be an object with a function before, or after, or both.`)
    for (const [side, run] of Object.entries(hook)) {
      if (!sides.includes(side) || (run !== undefined && typeof run !== 'function'))
        throw new StartError(`The hook of ${name} must have functions before and after and nothing else: ${side} is none.`)
    }
    return [name as ActionName, hook as Hook<any>]
  })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
