import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { defineConfig, type DefaultTheme } from 'vitepress'
import { drawDiagrams } from '../site/diagrams.ts'
import { sections } from '../site/pages.ts'
import { repository, version, written } from '../site/root.ts'

const sidebar: DefaultTheme.SidebarItem[] = [
  ...sections().map(({ title, pages }) => ({ text: title, items: pages.map((page) => ({ text: page.title, link: `/${page.route}` })) })),
  { text: 'tRPC reference', link: '/reference/trpc' },
  { text: 'REST reference', collapsed: true, items: [{ text: 'Overview', link: '/reference/rest/' }, ...generated('rest/*.md')] },
  {
    text: 'SDK reference',
    collapsed: true,
    items: [
      { text: 'Overview', link: '/reference/sdk/' },
      ...['functions', 'classes', 'interfaces', 'type-aliases'].map((kind) => ({
        text: kind === 'type-aliases' ? 'Types' : kind[0]!.toUpperCase() + kind.slice(1),
        collapsed: true,
        items: generated(`sdk/**/${kind}/*.md`),
      })),
    ],
  },
]

/** Pages that the build has written, by their names. */
function generated(pattern: string): DefaultTheme.SidebarItem[] {
  return globSync(`reference/${pattern}`, { cwd: written })
    .map((file) => ({ text: basename(file, '.md'), link: `/${file.slice(0, -'.md'.length)}` }))
    .filter(({ text }) => text !== 'index')
    .sort((one, other) => one.text.localeCompare(other.text))
}

export default defineConfig({
  title: 'Pinstack',
  description: 'The social backend that you start with one command and run for years.',
  lang: 'en',
  srcDir: '.pages',
  cleanUrls: true,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: '/logo.svg' }]],
  markdown: { config: drawDiagrams, theme: { light: 'github-light', dark: 'github-dark' } },
  themeConfig: {
    logo: '/logo.svg',
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'SDK', link: '/sdk' },
      { text: 'Run it', link: '/self-hosting' },
      { text: `v${version()}`, link: `${repository}/releases` },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: repository }],
    version: version(),
  } as DefaultTheme.Config,
})
