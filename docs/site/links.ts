import { existsSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Page } from './pages.ts'
import { repository, root } from './root.ts'

const fence = /^(`{3,}|~{3,})/
const picture = /(<img [^>]*?src=")([^"]+)(")/g
const link = /(!?)\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)/g

/**
 * The links of a page of the repository as links of the site: to the page that shows the file, or to the file in the repository. A
 * picture is handed to `copy`, which says where it is then.
 *
 * @throws where a link leads to nothing
 */
export function siteLinks(
  markdown: string,
  { source, all, copy }: { source: string; all: Page[]; copy: (file: string) => string },
): string {
  const target = (picture: string, to: string) => {
    if (/^([a-z]+:|#|\/)/i.test(to)) return to
    const [path = '', hash] = to.split('#')
    const file = relative(root, join(root, dirname(source), decodeURI(path)))
    if (!existsSync(join(root, file))) throw new Error(`${source} links to ${to}, and there is no such file`)
    if (picture) return copy(file)
    const shown = all.find((page) => page.source === file)
    const suffix = hash ? `#${hash}` : ''
    if (shown) return `/${shown.route}${suffix}`
    return `${repository}/${statSync(join(root, file)).isDirectory() ? 'tree' : 'blob'}/main/${file}${suffix}`
  }
  return outsideOfCode(markdown, (text) =>
    text
      .replace(picture, (_, before: string, to: string, after: string) => `${before}${target('!', to)}${after}`)
      .replace(link, (_, picture: string, label: string, to: string) => `${picture}[${label}](${target(picture, to)})`),
  )
}

/** Applies `change` to each line that is not code. */
function outsideOfCode(markdown: string, change: (line: string) => string): string {
  let open: string | undefined
  return markdown
    .split('\n')
    .map((line) => {
      const [, mark] = fence.exec(line) ?? []
      if (open) {
        if (mark?.startsWith(open)) open = undefined
        return line
      }
      open = mark
      return mark ? line : change(line)
    })
    .join('\n')
}
