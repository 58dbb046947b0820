// @NOTE TypeScript 7 has no compiler API: with it dependency-cruiser sees 0 modules, finds no fault with them, and exits 0.
if (!require('typescript').versionMajorMinor?.startsWith('5.'))
  throw new Error('dependency-cruiser needs TypeScript 5 under the name `typescript`')

const tests = '[.](test|contract)[.]tsx?$|^packages/[^/]+/(test|bench)/'
const server = '^packages/server/src/'
/** A package from the registry by its name, wherever the package manager keeps it. */
const library = (names) => `node_modules/(@types/)?(${names})/`

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'product-imports-no-test',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: tests },
      to: { path: tests },
    },
    {
      name: 'packages-meet-at-exports',
      severity: 'error',
      comment: 'another package is imported by its name, so only what its `exports` offer; tests may share drivers',
      from: { path: '^packages/([^/]+)/', pathNot: ['^packages/server/', tests] },
      to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'server-knows-no-other-package',
      severity: 'error',
      from: { path: '^packages/server/src/' },
      to: { path: '^packages/', pathNot: '^packages/server/' },
    },
    {
      name: 'sdk-and-terminal-take-server-types-only',
      severity: 'error',
      comment: 'an app that installs the client gets no server',
      from: { path: '^packages/(sdk|admin-tui)/src/', pathNot: tests },
      to: { path: '^packages/(server|cli)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'core-stands-alone',
      severity: 'error',
      comment: 'core/ is vocabulary: it imports node: and zod, nothing of ours',
      from: { path: `${server}core/`, pathNot: tests },
      to: { path: '^packages/|node_modules/(?![.]pnpm/|zod/)', pathNot: `${server}core/` },
    },
    {
      name: 'ports-are-interfaces',
      severity: 'error',
      from: { path: `${server}ports/`, pathNot: tests },
      to: { path: server, pathNot: `${server}(core|ports)/` },
    },
    {
      name: 'transports-know-no-feature',
      severity: 'error',
      comment: 'rest/ and rpc/ are what features declare their routes with',
      from: { path: `${server}(rest|rpc)/`, pathNot: tests },
      to: { path: server, pathNot: `${server}(core|rest|rpc)/` },
    },
    {
      name: 'rest-is-not-rpc',
      severity: 'error',
      from: { path: `${server}rest/`, pathNot: tests },
      to: { path: `${server}rpc/|node_modules/(@trpc|fastify)/` },
    },
    {
      name: 'adapters-know-ports-only',
      severity: 'error',
      from: { path: `${server}adapters/([^/]+)/`, pathNot: tests },
      to: { path: server, pathNot: `${server}(core|ports|adapters/$1)/` },
    },
    {
      name: 'drivers-stay-in-adapters',
      severity: 'error',
      comment: 'the clients of databases, caches, buses and collectors are imported by adapters only',
      from: { path: '^packages/[^/]+/src/', pathNot: [`${server}adapters/`, tests] },
      to: { path: library('pg|better-sqlite3|ioredis|kafkajs|rate-limiter-flexible|@aws-sdk|@opentelemetry') },
    },
    {
      name: 'features-are-islands',
      severity: 'error',
      comment: 'features meet in compose.ts, through events, or by `import type`',
      from: { path: `${server}features/([^/]+)/`, pathNot: tests },
      to: { path: `${server}features/`, pathNot: `${server}features/$1/`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'features-know-no-driver-or-surface',
      severity: 'error',
      from: { path: `${server}features/`, pathNot: tests },
      to: {
        path: `${server}(adapters/|surfaces/|(background|compose|open-app|open-database|router|routes|server|config)[.]ts$)`,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      comment: 'features/x/x.ts holds rules: core only, no SQL, no clock, no transport',
      from: { path: `${server}features/([^/]+)/\\1[.]ts$` },
      to: { pathNot: `${server}core/|node_modules/zod/` },
    },
    {
      name: 'services-have-no-transport',
      severity: 'error',
      comment: 'only router.ts, rest.ts and stream.ts of a feature speak to the outside; fields.ts has what they ask for',
      from: { path: `${server}features/`, pathNot: [`${server}features/[^/]+/(router|rest|stream|fields)[.]ts$`, tests] },
      to: { path: `node_modules/(@trpc|fastify)/|${server}(rpc|rest|surfaces)/` },
    },
    {
      name: 'surfaces-go-through-services',
      severity: 'error',
      comment: 'router.ts and rest.ts call the service: SQL and rules are not their business',
      from: { path: `${server}(surfaces/|features/[^/]+/(router|rest)[.]ts$)`, pathNot: tests },
      to: { path: '/store[.]ts$|node_modules/kysely/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'sql-in-stores',
      severity: 'error',
      comment: 'Kysely is called in store.ts, the outbox, the audit log, the doctor, migrations and the adapters',
      from: { path: server, pathNot: ['/store[.]ts$', `${server}(adapters|migrations|outbox|audit|diagnosis)/`, tests] },
      to: { path: 'node_modules/kysely/', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^packages/[^/]+/dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['@pinstack/source', 'types', 'import', 'node', 'default'] },
  },
}
