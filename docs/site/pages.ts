import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.ts'

/** One page of the site. The text stays where people look for it in the repository; the site only shows it. */
export interface Page {
  /** Path below the root of the repository. */
  source: string
  /** Address on the site, without a slash at its beginning. */
  route: string
  /** In the sidebar. */
  title: string
}

export interface Section {
  title: string
  pages: Page[]
}

const page = (route: string, title: string, source = `docs/${route}.md`): Page => ({ source, route, title })

const all: Section[] = [
  {
    title: 'Begin',
    pages: [
      page('start', 'Start in 5 minutes'),
      page('concepts', 'Concepts'),
      page('examples', 'Examples', 'examples/README.md'),
      page('web', 'An app in React', 'examples/web/README.md'),
    ],
  },
  {
    title: 'Write an app',
    pages: [
      page('sdk', 'SDK', 'packages/sdk/README.md'),
      page('rest', 'REST'),
      page('trpc', 'tRPC'),
      page('live', 'Live events'),
      page('events', 'Events and Kafka'),
      page('errors', 'Errors'),
      page('admin-api', 'The API of staff'),
      page('library', 'The server as a library'),
      page('server', 'The server package', 'packages/server/README.md'),
    ],
  },
  {
    title: 'Run it',
    pages: [
      page('self-hosting', 'Self-hosting'),
      page('config', 'Configuration'),
      page('pinstack', 'The command pinstack', 'packages/cli/README.md'),
      page('cli', 'All commands'),
      page('admin-terminal', 'Admin terminal', 'packages/admin-tui/README.md'),
      page('backends', 'Backends compared'),
      page('operations', 'Operations'),
      page('metrics', 'Metrics'),
      page('security', 'Security model'),
    ],
  },
  {
    title: 'Know it',
    pages: [
      page('architecture', 'Architecture and decisions'),
      page('go-pinstack', 'Moving from the Go Pinstack'),
      page('import-go', 'The import from Go'),
      page('releases', 'Releases'),
      page('contributing', 'Contributing', 'CONTRIBUTING.md'),
      page('vulnerabilities', 'Reporting a vulnerability', 'SECURITY.md'),
    ],
  },
]

/** The pages in the order of the sidebar; a page whose file is not there is not in it. */
export function sections(): Section[] {
  return all.map(({ title, pages }) => ({ title, pages: pages.filter(({ source }) => existsSync(join(root, source))) }))
}

export function pages(): Page[] {
  return sections().flatMap((section) => section.pages)
}
