import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkDependencies, ruleNames, type Finding } from './dependency-rules.ts'
import { root } from './packages.ts'

/** For each rule files that break it, and nothing else that is checked of them. */
const violations: Record<string, Record<string, string>> = {
  'no-cycles': {
    'server/src/core/zz-one.ts': `import { two } from './zz-two.ts'\nexport const one = () => two()`,
    'server/src/core/zz-two.ts': `import { one } from './zz-one.ts'\nexport const two = (): unknown => one()`,
  },
  resolvable: { 'server/src/zz-lost.ts': `import './zz-nowhere.ts'` },
  'product-imports-no-test': { 'server/src/zz-tested.ts': `import '../test/postgres-server.ts'` },
  'packages-meet-at-exports': { 'cli/src/zz-short-cut.ts': `import '../../server/src/core/errors.ts'` },
  'server-knows-no-other-package': { 'server/src/zz-client.ts': `import '../../sdk/src/client.ts'` },
  'sdk-and-terminal-take-server-types-only': {
    'sdk/src/zz-server.ts': `import { createServer } from '@pinstack/server'\nexport const start = createServer`,
  },
  'core-stands-alone': { 'server/src/core/zz-pino.ts': `import pino from 'pino'\nexport const log = pino()` },
  'ports-are-interfaces': { 'server/src/ports/zz-bound.ts': `import { users } from '../query.ts'\nexport const bound = users` },
  'transports-know-no-feature': { 'server/src/rpc/zz-users.ts': `import '../features/users/users.ts'` },
  'rest-is-not-rpc': { 'server/src/rest/zz-trpc.ts': `import { initTRPC } from '@trpc/server'\nexport const init = initTRPC` },
  'adapters-know-ports-only': { 'server/src/adapters/cache/zz-users.ts': `import '../../features/users/users.ts'` },
  'drivers-stay-in-adapters': { 'server/src/zz-pg.ts': `import pg from 'pg'\nexport const pool = new pg.Pool()` },
  'features-are-islands': { 'server/src/features/users/zz-auth.ts': `import '../auth/auth.ts'` },
  'features-know-no-driver-or-surface': { 'server/src/features/users/zz-adapter.ts': `import '../../adapters/cache/memory.ts'` },
  'domain-is-pure': {
    'server/src/features/zz/zz.ts': `import './tables.ts'`,
    'server/src/features/zz/tables.ts': 'export interface ZzTable { id: number }',
  },
  'services-have-no-transport': { 'server/src/features/users/zz-http.ts': `import fastify from 'fastify'\nexport const app = fastify()` },
  'surfaces-go-through-services': {
    'server/src/surfaces/zz-store.ts': `import '../features/zz-stored/store.ts'`,
    'server/src/features/zz-stored/store.ts': 'export const rows = []',
  },
  'sql-in-stores': { 'server/src/zz-sql.ts': `import { sql } from 'kysely'\nexport const one = sql\`select 1\`` },
}

describe('dependency rules', () => {
  const copy = mkdtempSync(join(tmpdir(), 'pinstack-rules-'))
  let findings: Finding[]

  beforeAll(async () => {
    cpSync(join(root, 'packages'), join(copy, 'packages'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => basename(path) !== 'dist',
    })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    for (const [path, text] of Object.values(violations).flatMap(Object.entries)) {
      const file = join(copy, 'packages', path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
    findings = await checkDependencies(copy)
  }, 60_000)
  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  test('each rule has a violation here', () => {
    expect(Object.keys(violations).sort()).toEqual([...ruleNames].sort())
  })

  test.each(Object.entries(violations))('%s finds what breaks it', (rule, files) => {
    const injected = Object.keys(files).map((path) => `packages/${path}`)
    const found = findings.filter((finding) => injected.includes(finding.from)).map((finding) => finding.rule)
    expect(found).toContain(rule)
  })

  test('a tree without modules is a failure, not a success', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'pinstack-rules-'))
    for (const name of ['server', 'sdk', 'cli', 'admin-tui']) mkdirSync(join(empty, 'packages', name, 'src'), { recursive: true })
    await expect(checkDependencies(empty)).rejects.toThrow('saw no module')
    rmSync(empty, { recursive: true })
  })
})
