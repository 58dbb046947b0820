import { NextResponse } from 'next/server'
import { cookieStore, createPinstack } from '@pinstack/sdk'
import { url } from './url.js'

/** Comes before each page: renews a session that is about to end, for the page and for the browser. */
export async function proxy(request) {
  const renewed = []
  const store = cookieStore({
    get: (name) => request.cookies.get(name),
    set(name, value, attributes) {
      request.cookies.set(name, value) // what the page will read
      renewed.push([name, value, attributes]) // what the browser will keep
    },
  })
  const session = await store.load()
  // Any call renews. One that fails is the page's to show: it meets the same answer.
  if (session && session.renewAtMs <= Date.now())
    await createPinstack({ url, store })
      .me()
      .catch(() => undefined)
  const response = NextResponse.next({ request: { headers: request.headers } })
  for (const cookie of renewed) response.cookies.set(...cookie)
  return response
}

export const config = { matcher: ['/((?!_next/|favicon).*)'] }
