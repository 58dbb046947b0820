import { tabLock } from './lock.ts'
import { parseSession, type Session, type SessionStore } from './session.ts'
import { tabsOf } from './tabs.ts'
import type { WebStorage } from './web-store.ts'

/** How a cookie is kept, in the words of `cookies().set` of Next, SvelteKit and Astro. */
export interface CookieAttributes {
  /** Out of reach of scripts. */
  httpOnly: boolean
  /** Only over TLS. Browsers take `localhost` for as good, but for Safari. */
  secure: boolean
  /** Whether other sites' pages may bring it along: `lax` for links to yours, `strict` for nothing, `none` for everything. */
  sameSite: 'lax' | 'strict' | 'none'
  /** Of the pages that get it. */
  path: string
  /** In seconds. 0 deletes the cookie. */
  maxAge: number
  /** To share it with subdomains. Without one it is this host's alone. */
  domain?: string
}

/** Where cookies are read and written. Next's `await cookies()` is one, as are SvelteKit's `event.cookies` and `Astro.cookies`. */
export interface Cookies {
  /** By its name: its value, or an object with the value. */
  get(name: string): CookieValue | Promise<CookieValue>
  /** Leave it out where the answer's cookies cannot be set any more: the session is then only read. */
  set?(name: string, value: string, attributes: CookieAttributes): unknown
  /** The cookies of this page, which all tabs share. */
  readonly ofDocument?: boolean
}

type CookieValue = string | { value: string } | null | undefined

/** Of the session's cookie. */
export interface CookieStoreOptions extends Partial<CookieAttributes> {
  /** `pinstack_session` unless told otherwise. */
  name?: string
}

/** What every browser keeps of one cookie: its name, its value and what it says of itself (RFC 6265, 6.1). */
const cookieBytesMax = 4096

/** As long as the server keeps a session that is not used (`auth.refreshTtl`), unless it says otherwise. */
const maxAgeSeconds = 30 * 24 * 60 * 60

/**
 * Keeps the session in a cookie, where a server that renders pages finds it. `httpOnly`, `secure`, `sameSite: 'lax'` and a
 * `maxAge` of 30 days from the last renewal, unless told otherwise.
 *
 * @NOTE what `httpOnly` means for the browser: its scripts cannot read the cookie, so nobody steals the session by a script, and a
 * client in the browser has none either. Let your server make the calls, or give the browser an access token of minutes by a
 * read-only store (`{ readOnly: true, load, save }`) whose `load` asks your server. Without `httpOnly` both sides use the same cookie,
 * the browser by {@link documentCookies}, and any script on the page can read it.
 *
 * @example
 * In Next, where cookies may be set (route handlers, server functions), and where they may only be read (server components):
 *
 * ```ts
 * const jar = await cookies()
 * const pinstack = createPinstack({ url, store: cookieStore(jar) })
 * const pinstackOfPage = createPinstack({ url, store: cookieStore({ get: (name) => jar.get(name) }) })
 * ```
 *
 * @example
 * With a request and the headers of its answer, in whatever framework:
 *
 * ```ts
 * const store = cookieStore(headerCookies(request.headers.get('cookie'), (line) => headers.append('set-cookie', line)))
 * ```
 *
 * @throws {TypeError} for attributes that browsers refuse; `save` throws one for a session larger than a cookie may be (4 KiB).
 */
export function cookieStore(cookies: Cookies, { name = 'pinstack_session', ...given }: CookieStoreOptions = {}): SessionStore {
  const attributes: CookieAttributes = { httpOnly: true, secure: true, sameSite: 'lax', path: '/', maxAge: maxAgeSeconds, ...given }
  assertKept(name, attributes, cookies)
  return {
    readOnly: !cookies.set,
    async load() {
      const cookie = await cookies.get(name)
      return decode(typeof cookie === 'object' ? cookie?.value : cookie)
    },
    async save(session) {
      if (!cookies.set) throw new TypeError('these cookies can only be read')
      const value = session ? encode(session) : ''
      const bytes = serializeCookie(name, value, attributes).length
      if (bytes > cookieBytesMax) throw new TypeError(`a cookie of ${bytes} bytes: browsers keep up to ${cookieBytesMax}`)
      await cookies.set(name, value, session ? attributes : { ...attributes, maxAge: 0 })
    },
    // @NOTE on a server each request has a store of its own, and other people's requests run beside it
    ...(cookies.ofDocument && { exclusive: tabLock(name, pageStorage()), ...tabsOf(name) }),
  }
}

/**
 * The cookies of a request and its answer, by their headers.
 *
 * @example
 * ```ts
 * const ofFetch = headerCookies(request.headers.get('cookie'), (line) => headers.append('set-cookie', line))
 * const ofNode = headerCookies(req.headers.cookie, (line) => res.appendHeader('set-cookie', line))
 * ```
 */
export function headerCookies(cookieHeader: string | null | undefined, addSetCookie: (line: string) => void): Cookies {
  const written = new Map<string, string>()
  return {
    get: (name) => written.get(name) ?? readCookie(cookieHeader ?? '', name),
    set(name, value, attributes) {
      written.set(name, value)
      addSetCookie(serializeCookie(name, value, attributes))
    },
  }
}

/** The part of `document` that is used. */
export interface CookieDocument {
  /** All cookies on reading; one, with its attributes, on writing. */
  cookie: string
}

/**
 * The cookies of the page, for a client in the browser: `cookieStore(documentCookies(), { httpOnly: false })`.
 *
 * @example
 * ```ts
 * const store = cookieStore(documentCookies(), { httpOnly: false, secure: location.protocol === 'https:' })
 * ```
 */
export function documentCookies(document: CookieDocument = (globalThis as unknown as { document: CookieDocument }).document): Cookies {
  return {
    ofDocument: true,
    get: (name) => readCookie(document.cookie, name),
    set(name, value, attributes) {
      document.cookie = serializeCookie(name, value, attributes)
    },
  }
}

/** A page may have none, or not be allowed to look. */
function pageStorage(): WebStorage | undefined {
  try {
    return (globalThis as { localStorage?: WebStorage }).localStorage
  } catch {
    return undefined
  }
}

/** What would be dropped without a word is refused with one. */
function assertKept(name: string, { httpOnly, secure, sameSite, path, domain }: CookieAttributes, { ofDocument }: Cookies): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw new TypeError(`not a cookie's name: ${JSON.stringify(name)}`)
  for (const text of [path, domain ?? '']) if (/[;\s]/.test(text)) throw new TypeError(`not a cookie's attribute: ${JSON.stringify(text)}`)
  if (ofDocument && httpOnly) throw new TypeError('a script cannot set a cookie that is httpOnly: say `httpOnly: false`')
  if (sameSite === 'none' && !secure) throw new TypeError('a cookie with `sameSite: none` has to be `secure`')
}

function serializeCookie(name: string, value: string, { httpOnly, secure, sameSite, path, maxAge, domain }: CookieAttributes): string {
  const line = `${name}=${value}; Path=${path}; Max-Age=${maxAge}; SameSite=${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`
  return `${line}${domain ? `; Domain=${domain}` : ''}${secure ? '; Secure' : ''}${httpOnly ? '; HttpOnly' : ''}`
}

function readCookie(header: string, name: string): string | undefined {
  const pairs = header.split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** Letters, digits, `-` and `_` only: nothing that one framework would escape and another would not. */
function encode(session: Session): string {
  return btoa(JSON.stringify(session)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function decode(value: string | undefined): Session | null {
  try {
    return parseSession(value && atob(value.replaceAll('-', '+').replaceAll('_', '/')))
  } catch {
    return null
  }
}
