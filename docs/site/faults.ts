import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What is wrong with a built site, a sentence each. VitePress has looked for dead pages already; this looks for links to places that a
 * page does not have, pages that do not say which version they are about, and anything that a browser would fetch from elsewhere.
 */
export function faultsOf(site: string, version: string): string[] {
  const pages = new Map(globSync('**/*.html', { cwd: site }).map((file) => [`/${file}`, readFileSync(join(site, file), 'utf8')]))
  if (pages.size === 0) return [`There is no page in ${site}`]
  const ids = new Map([...pages].map(([path, html]) => [path, new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => plain(id!)))]))
  return [...pages].flatMap(([page, html]) => [
    ...deadAnchors(page, html, ids).map((link) => `${page} links to ${link}, and there is no such place`),
    ...(page === '/404.html' || html.includes(`Pinstack ${version}`) ? [] : [`${page} does not say that it is about version ${version}`]),
    ...foreign(html).map((address) => `${page} fetches ${address}`),
  ])
}

function deadAnchors(page: string, html: string, ids: Map<string, Set<string>>): string[] {
  const links = [...html.matchAll(/<a [^>]*?href="([^"]*#[^"]+)"/g)].map(([, href]) => plain(href!))
  return links.filter((href) => {
    const { origin, pathname, hash } = new URL(href, `http://site${page}`)
    if (origin !== 'http://site') return false
    const target = pathname.endsWith('/') ? `${pathname}index.html` : pathname.endsWith('.html') ? pathname : `${pathname}.html`
    return !ids.get(target)?.has(decodeURIComponent(hash.slice(1)))
  })
}

/** Links are followed by people; what is meant here comes with the page. */
function foreign(html: string): string[] {
  const fetched =
    /<(?:script|img|source|iframe|video)\s[^>]*?src="((?:https?:)?\/\/[^"]+)"|<link\s[^>]*?href="((?:https?:)?\/\/[^"]+)"|@import url\(([^)]+)/g
  return [...html.matchAll(fetched)].map(([, src, href, style]) => (src ?? href ?? style)!)
}

function plain(html: string): string {
  return html.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}
