interface Cookie {
  value: string
  attributes: string
}

/** What a browser without scripts does with a site: it keeps cookies, follows redirects and submits forms. */
export interface Browser {
  /** The page at a path, as HTML. */
  get(path: string): Promise<string>
  /** Fills in the form of the last page that holds this text or follows it, submits it, and returns the page that comes. */
  submit(near: string, fields: Record<string, string>): Promise<string>
  cookie(name: string): Cookie | undefined
  setCookie(name: string, value: string): void
}

export function browserOf(origin: string): Browser {
  const cookies = new Map<string, Cookie>()
  let page = ''
  let at = '/'

  async function load(path: string, init: RequestInit = {}): Promise<string> {
    const cookie = [...cookies].map(([name, { value }]) => `${name}=${value}`).join('; ')
    const response = await fetch(new URL(path, origin), { ...init, headers: { origin, ...(cookie && { cookie }) }, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) keep(line)
    const location = response.headers.get('location')
    if (location) return load(location)
    page = await response.text()
    at = path
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${page.slice(0, 500)}`)
    return page
  }

  function keep(line: string): void {
    const [, name, value, attributes] = /^([^=]+)=([^;]*)(.*)$/.exec(line)!
    if (/max-age=0\b|expires=thu, 01 jan 1970/i.test(attributes!)) cookies.delete(name!)
    else cookies.set(name!, { value: value!, attributes: attributes! })
  }

  return {
    get: (path) => load(path),
    submit(near, fields) {
      const form = [...page.matchAll(/<form[^>]*>.*?<\/form>/gs)].find(({ 0: html, index }) => index + html.length > page.indexOf(near))
      if (!form || !page.includes(near)) throw new Error(`no form at ${near} in ${page.slice(0, 2000)}`)
      const body = new FormData()
      for (const [input] of form[0].matchAll(/<input[^>]*type="hidden"[^>]*>/g))
        body.set(attribute(input, 'name'), attribute(input, 'value'))
      for (const [name, value] of Object.entries(fields)) body.set(name, value)
      return load(at, { method: 'POST', body })
    },
    cookie: (name) => cookies.get(name),
    setCookie: (name, value) => void cookies.set(name, { value, attributes: '' }),
  }
}

function attribute(tag: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
  return value.replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}
