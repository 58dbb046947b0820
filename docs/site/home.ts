import { repository } from './root.ts'

const features: [title: string, details: string, link: string][] = [
  [
    'One command',
    '`npx pinstack up` is a whole backend on SQLite. Postgres, Redis and Kafka are a line each, whenever you want them.',
    '/start',
  ],
  [
    'A client that does its part',
    'Typed, without dependencies. Renews the session, pages through lists, and its streams come back by themselves.',
    '/sdk',
  ],
  [
    'Live, and nothing missed',
    'What happens to a user reaches their screens within milliseconds; after a cut it goes on where it was.',
    '/live',
  ],
  ['Right when things fail', 'A change and its event commit together. Without Redis or Kafka it is slower, never wrong.', '/concepts'],
  ['Open to others', 'REST, tRPC, server-sent events, Kafka: one set of rules behind all of them.', '/rest'],
  ['Made to be run', 'Metrics, dashboards, alerts with runbooks, sets for Compose, Kubernetes and systemd.', '/self-hosting'],
]

/** The way in. */
export function homePage(): string {
  const cards = features.map(
    ([title, details, link]) => `  - title: ${JSON.stringify(title)}
    details: ${JSON.stringify(details.replaceAll('`', ''))}
    link: ${link}`,
  )
  return `---
layout: home
title: Pinstack
titleTemplate: The social backend
hero:
  name: Pinstack
  text: The social backend
  tagline: Users, sessions, posts, follows, notifications and live events. Started with one command, run for years.
  actions:
    - { theme: brand, text: Start in 5 minutes, link: /start }
    - { theme: alt, text: Concepts, link: /concepts }
    - { theme: alt, text: Source, link: ${repository} }
features:
${cards.join('\n')}
---
`
}
