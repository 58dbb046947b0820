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

export function createCall({ send, keeper, timeoutMs: timeoutMsOfClient }: { send: Send; keeper: Keeper; timeoutMs: number }): Call {
  return async (path, input, { signal, timeoutMs = timeoutMsOfClient, retries } = {}, around = (work) => work()) => {
    const endMs = performance.now() + timeoutMs
    const left = () => ({ ...(signal && { signal }), timeoutMs: Math.max(1, Math.round(endMs - performance.now())) })
    const options = retries === undefined ? {} : { retries }
    const sendAs = (session: Session | null) =>
      around(
        () =>
          send({
            ...options,
            ...left(),
            kind: procedureKinds[path],
            path,
            input,
            ...(session && { accessToken: session.accessToken }),
          }) as never,
      )
    const session = await unlessEnded(keeper.fresh(), left())
    try {
      return await sendAs(session)
    } catch (error) {
      if (!session || !isPinstackError(error, ...tokenRefusals)) throw error
      const renewed = await unlessEnded(keeper.renew(session), left())
      if (!renewed && keeper.readOnly) throw error
      if (!renewed) throw new PinstackError('auth.unauthenticated', 'signed out', { status: 401, requestId: error.requestId, cause: error })
      return await sendAs(renewed)
    }
  }
}

/** A renewal is everyone's: whoever gives up waiting does not end it. */
export async function unlessEnded<T>(work: Promise<T>, { signal, timeoutMs }: { signal?: AbortSignal; timeoutMs: number }): Promise<T> {
  const stop = new AbortController()
  const ended = new Promise<never>((_, reject) => {
    const abort = () => reject(new PinstackError('aborted', 'the call was aborted', { cause: signal?.reason }))
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
    const timer = setTimeout(() => reject(new PinstackError('timeout', `the session was not renewed within ${timeoutMs} ms`)), timeoutMs)
    stop.signal.addEventListener('abort', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    })
  })
  try {
    return await Promise.race([work, ended])
  } finally {
    stop.abort()
  }
}
