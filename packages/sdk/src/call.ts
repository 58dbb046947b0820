import type { Keeper } from './auth.ts'
import { isPinstackError, PinstackError } from './errors.ts'
import { procedureKinds, type Procedures } from './procedures.ts'
import type { Session } from './session.ts'
import type { CallOptions, Send } from './transport.ts'

/** Makes a call as the user who is signed in, with a token that is renewed where it has to be. */
export type Call = <Path extends keyof Procedures>(
  path: Path,
  input: Procedures[Path]['input'],
  options?: CallOptions,
  around?: (work: () => Promise<Procedures[Path]['output']>) => Promise<Procedures[Path]['output']>,
) => Promise<Procedures[Path]['output']>

/** A refused token is refused before the call runs, so the call may be sent again with a new one, whatever it does. */
export const tokenRefusals = ['auth.token_expired', 'auth.invalid_token', 'auth.unauthenticated'] as const

export function createCall(send: Send, keeper: Keeper): Call {
  return async (path, input, options = {}, around = (work) => work()) => {
    const sendAs = (session: Session | null) =>
      around(
        () =>
          send({
            ...options,
            kind: procedureKinds[path],
            path,
            input,
            ...(session && { accessToken: session.accessToken }),
          }) as never,
      )
    const session = await unlessAborted(keeper.fresh(), options.signal)
    try {
      return await sendAs(session)
    } catch (error) {
      if (!session || !isPinstackError(error, ...tokenRefusals)) throw error
      const renewed = await unlessAborted(keeper.renew(session), options.signal)
      if (!renewed && keeper.readOnly) throw error
      if (!renewed) throw new PinstackError('auth.unauthenticated', 'signed out', { status: 401, requestId: error.requestId, cause: error })
      return await sendAs(renewed)
    }
  }
}

/** A renewal is everyone's: whoever gives up waiting does not end it. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new PinstackError('aborted', 'the call was aborted', { cause: signal.reason }))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
