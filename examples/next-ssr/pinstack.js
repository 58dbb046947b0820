import { cookies } from 'next/headers'
import { cookieStore, createPinstack } from '@pinstack/sdk'
import { url } from './url.js'

/** For server functions and route handlers: they can set cookies, so they sign in, sign out, and renew. */
export async function pinstackOfAction() {
  return createPinstack({ url, store: cookieStore(await cookies()) })
}

/** For pages: while one is rendered no cookie can be set any more, so it uses the session that `proxy.js` has renewed. */
export async function pinstackOfPage() {
  const jar = await cookies()
  return createPinstack({ url, store: cookieStore({ get: (name) => jar.get(name) }) })
}
