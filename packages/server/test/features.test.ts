import { createTRPCClient, httpLink } from '@trpc/client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrateDown, migrateUp, migrationStatus } from '../src/migrations/index.ts'
import { createServer, defineFeature, type Feature, type Server } from '../src/server.ts'
import type { Tables } from '../src/schema.ts'
import { onEachDriver, useDatabase } from './drivers.ts'
import { reaction, trouble } from './reaction-feature.ts'
import { call, newDataDir, quietly, register, testConfig } from './serve.ts'

onEachDriver('a feature that somebody added', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const dir = newDataDir()
  const servers: Server<any>[] = []
  let names = 0
  beforeEach(() => Object.assign(trouble, { failing: false, jobs: 0, closed: 0 }))
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  const config = () => testConfig({ 'database.url': opened.url, 'data.dir': dir })
  async function serve<const Features extends readonly Feature[]>(features: Features) {
    const server = await createServer(config(), { ...quietly, features })
    servers.push(server)
    return { server, url: (await server.listen()).apiUrl }
  }
  async function newUser(url: string) {
    const token = (await register(url, `user${++names}`)).body.data.access_token as string
    return { token, id: (await call(url, 'GET', '/api/v1/auth/me', { token })).body.data.id as number }
  }
  const newPost = async (url: string, token: string, content = 'Words that are long enough') =>
    (await call(url, 'POST', '/api/v1/posts', { token, body: { title: 'A title', content } })).body.data?.id as number
  const rows = async (sql: 'reaction' | 'reactionSeen') => (await (opened.database.db as any).selectFrom(sql).selectAll().execute()).length
  const feed = async (url: string, token: string) => (await call(url, 'GET', '/api/v1/notification/feed', { token })).body.data

  it('answers over REST and tRPC, with the envelope, the authentication and the document of all other routes', async () => {
    const { server, url } = await serve([reaction])
    const [author, fan] = [await newUser(url), await newUser(url)]
    const post = await newPost(url, author.token)
    const path = `/api/v1/posts/${post}/reactions`
    expect((await call(url, 'POST', path, { token: fan.token, body: { kind: 'love' } })).body).toEqual({
      status: 201,
      data: { added: true },
    })
    expect((await call(url, 'POST', path, { token: fan.token, body: { kind: 'love' } })).body.data).toEqual({ added: false })
    expect((await call(url, 'GET', path)).body).toEqual({ status: 200, data: { count: 1 } })
    expect(await call(url, 'POST', path, { body: { kind: 'love' } })).toMatchObject({ status: 401, body: { code: 'auth.unauthenticated' } })
    expect(await call(url, 'POST', path, { token: fan.token, body: { kind: 'hate' } })).toMatchObject({
      status: 400,
      body: { code: 'input.invalid', request_id: expect.any(String), errors: [{ path: 'kind' }] },
    })
    const document = (await call(url, 'GET', '/api/v1/openapi.json')).body
    expect(document.paths['/api/v1/posts/{post_id}/reactions'].post).toMatchObject({
      operationId: 'reaction.add',
      tags: ['reaction'],
      security: [{ bearer: [] }],
      responses: { 404: { description: expect.stringContaining('reaction.no_such_post') } },
    })

    const asked = await call(url, 'GET', `/trpc/reaction.count?input=${encodeURIComponent(JSON.stringify({ postId: post }))}`)
    expect(asked.body).toEqual({ result: { data: { count: 1 } } })
    const client = createTRPCClient<any>({
      links: [httpLink({ url: `${url}/trpc`, headers: { authorization: `Bearer ${author.token}` } })],
    }) as any
    expect(await client.reaction.add.mutate({ postId: post, kind: 'like' })).toEqual({ added: true })
    await expect(client.reaction.add.mutate({ postId: post, kind: 'hate' })).rejects.toMatchObject({ data: { reason: 'input.invalid' } })
    await expect(client.reaction.nested.refuse.mutate()).rejects.toMatchObject({
      data: { reason: 'reaction.no_such_post', httpStatus: 404 },
    })
    expect(await server.features.reaction.count(post)).toEqual({ count: 2 })
  })

  it('has its events in the outbox and its effects exactly once, also when they first fail and when another server takes over', async () => {
    const { url, server } = await serve([reaction])
    const [author, fan] = [await newUser(url), await newUser(url)]
    const seenBefore = await rows('reactionSeen')
    const post = await newPost(url, author.token)
    trouble.failing = true
    await call(url, 'POST', `/api/v1/posts/${post}/reactions`, { token: fan.token, body: { kind: 'love' } })
    await expect
      .poll(async () => (await opened.database.db.selectFrom('deadLetter').selectAll().execute()).map(({ attempts }) => attempts >= 1))
      .toEqual([true])
    expect(await rows('reactionSeen')).toBe(seenBefore) // what failed left nothing
    await server.close()
    trouble.failing = false

    const again = await serve([reaction])
    await expect.poll(async () => (await feed(again.url, author.token)).total, { timeout: 20_000 }).toBe(1)
    const [told] = (await feed(again.url, author.token)).notifications
    expect(told).toMatchObject({ type: 'reaction', origin: 'system', payload: { post_id: post, kind: 'love' } })
    expect(await rows('reactionSeen')).toBe(seenBefore + 1)

    // Pinstack's own events are the feature's to hear, too.
    await call(again.url, 'DELETE', `/api/v1/posts/${post}`, { token: author.token })
    await expect.poll(async () => (await feed(again.url, author.token)).total, { timeout: 20_000 }).toBe(0)
    expect(await rows('reactionSeen')).toBe(seenBefore + 2)
    expect((await opened.database.db.selectFrom('deadLetter').selectAll().execute()).length).toBe(0)
  })

  it('runs its jobs until they have no more to do, and is closed with the server', async () => {
    const { server } = await serve([reaction])
    await expect.poll(() => trouble.jobs).toBe(3)
    await server.close()
    expect([trouble.jobs, trouble.closed]).toEqual([3, 1])
  })

  it('removes what a deleted user leaves in its tables', async () => {
    const { server, url } = await serve([reaction])
    const [author, fan] = [await newUser(url), await newUser(url)]
    const post = await newPost(url, author.token)
    await call(url, 'POST', `/api/v1/posts/${post}/reactions`, { token: fan.token, body: { kind: 'love' } })
    const before = await rows('reaction')
    expect((await call(url, 'DELETE', `/api/v1/users/${fan.id}`, { token: fan.token })).status).toBeLessThan(300)
    while (await server.app.jobs.purgeDeletedUsers());
    expect(await rows('reaction')).toBe(before - 1)
    expect(await opened.database.db.selectFrom('user').where('id', '=', fan.id).select('id').execute()).toEqual([])
  })

  it('brings a hook of its own, whose refusal is the same on every surface', async () => {
    const { url } = await serve([reaction])
    const { token } = await newUser(url)
    const body = { title: 'A title', content: 'This is verboten.' }
    expect(await call(url, 'POST', '/api/v1/posts', { token, body })).toMatchObject({
      status: 400,
      body: { code: 'reaction.banned', message: 'this word is not wanted here', errors: [{ path: 'content', message: 'Holds verboten' }] },
    })
    const client = createTRPCClient<any>({
      links: [httpLink({ url: `${url}/trpc`, headers: { authorization: `Bearer ${token}` } })],
    }) as any
    await expect(client.posts.create.mutate(body)).rejects.toMatchObject({
      data: { reason: 'reaction.banned', code: 'BAD_REQUEST', errors: [{ path: 'content' }] },
    })
  })

  const withNext = {
    ...reaction,
    migrations: {
      ...reaction.migrations,
      '0002-strength': {
        up: (db: any) => db.schema.alterTable('reaction').addColumn('strength', 'integer').execute(),
        down: (db: any) => db.schema.alterTable('reaction').dropColumn('strength').execute(),
      },
    },
  }

  it('migrates under its own names, is refused where its tables are newer, and leaves who does not know it alone', async () => {
    const { database } = opened
    expect(await migrateUp(database, [withNext])).toEqual(['reaction:0002-strength'])
    expect((await migrationStatus(database, [withNext])).slice(-2).map(({ name, appliedAt }) => [name, appliedAt !== null])).toEqual([
      ['reaction:0001-reactions', true],
      ['reaction:0002-strength', true],
    ])
    await expect(createServer(config(), { ...quietly, features: [reaction] })).rejects.toThrow(
      'newer than this version of the feature reaction: it has the migration reaction:0002-strength, and the newest known here is reaction:0001-reactions',
    )
    const { server } = await serve([])
    await server.close()
    expect(await migrateUp(database)).toEqual([])
    await expect(migrateDown(database)).rejects.toThrow(
      'reaction:0002-strength is of the feature reaction, which this program does not have',
    )
    expect(await migrateDown(database, [withNext])).toEqual(['reaction:0002-strength'])
    expect((await migrationStatus(database, [withNext])).at(-1)).toEqual({ name: 'reaction:0002-strength', appliedAt: null })
  })

  it('is migrated once by servers that start together', async () => {
    const openings = Array.from({ length: 4 }, () => opened.openAgain())
    const applied = await Promise.all(openings.map((database) => migrateUp(database, [withNext])))
    expect(applied.flat()).toEqual(['reaction:0002-strength'])
    await Promise.all(openings.map((database) => database.close()))
    expect(await migrateDown(opened.database, [withNext])).toEqual(['reaction:0002-strength'])
  })

  const empty = defineFeature({ name: 'shop', create: () => ({}) })
  const broken: [string, unknown, string][] = [
    ['a name of ours', { ...empty, name: 'posts' }, 'The feature posts has a name that is Pinstack’s own'.replace('’', "'")],
    ['no name', { ...empty, name: 'My Shop' }, 'A feature must have a name of small letters'],
    ['an unknown member', { ...empty, tables: {} }, 'The feature shop has a member tables, which is none of'],
    ['no create', { name: 'shop' }, 'The feature shop has no function create.'],
    ['a migration without a number', { ...empty, migrations: { first: {} } }, 'whose name is not like 0001-what-it-does'],
    ['a migration without a way back', { ...empty, migrations: { '0001-x': { up() {} } } }, 'without a function up and a function down'],
    ['a foreign event', { ...empty, events: ['sold'] }, 'an event type sold, which does not begin with shop_'],
    ['a taken topic', { ...empty, events: ['shop_sold'], topic: 'user-events' }, "a topic user-events that is another's"],
    ['an unknown part', { ...empty, create: () => ({ tasks: {} }) }, 'The feature shop creates tasks, which is none of'],
    ['a foreign router', { ...empty, create: () => ({ router: {} }) }, 'a router that was not made by the router of @pinstack/server'],
    [
      'a foreign route',
      { ...empty, create: () => ({ routes: [{ name: 'x.y', method: 'GET', path: '/x', auth: 'open', handle() {} }] }) },
      'a route x.y, which does not begin with shop.',
    ],
    [
      'a taken path',
      { ...empty, create: () => ({ routes: [{ name: 'shop.y', method: 'GET', path: '/posts/list', auth: 'open', handle() {} }] }) },
      'where posts.list is already',
    ],
    [
      'a path in another form',
      { ...empty, create: () => ({ routes: [{ name: 'shop.y', method: 'GET', path: '/x/:id', auth: 'open', handle() {} }] }) },
      'whose path /x/:id is not like',
    ],
    [
      'a foreign consumer',
      { ...empty, create: () => ({ consumers: [{ name: 'x', types: [], async handle() {} }] }) },
      'a consumer x, which does not begin with shop.',
    ],
    ['a job that is none', { ...empty, create: () => ({ jobs: { sweep: 5 } }) }, 'a job sweep that is no function'],
    [
      'an unknown hook',
      { ...empty, create: () => ({ hooks: { 'posts.make': {} } }) },
      'There is no action posts.make to hook: there are auth.register,',
    ],
  ]
  it.each(broken)('is refused at the start with %s', async (_title, feature, sentence) => {
    const starting = createServer(config(), { ...quietly, features: [feature as Feature] })
    await expect(starting).rejects.toMatchObject({ name: 'StartError', message: expect.stringContaining(sentence) })
  })

  it('is refused when it is there twice', async () => {
    await expect(createServer(config(), { ...quietly, features: [empty, empty] })).rejects.toThrow('The feature shop is there twice')
  })
})
