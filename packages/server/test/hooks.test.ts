import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { createServer, defineErrors, defineFeature, type Hooks, type Server } from '../src/server.ts'
import type { Tables } from '../src/schema.ts'
import { createLogger } from '../src/surfaces/logging.ts'
import { onEachDriver, useDatabase } from './drivers.ts'
import { call, login, newDataDir, quietly, register, testConfig } from './serve.ts'

const errors = defineErrors('house', { full: ['conflict', 'the house is full'], later: ['rate_limited', 'come back later'] })

onEachDriver('hooks around actions', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const dir = newDataDir()
  const servers: Server<any>[] = []
  const lines: any[] = []
  let names = 0
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
    lines.length = 0
  })

  async function serve(hooks: Hooks, features: Parameters<typeof createServer>[1] = {}) {
    const logger = createLogger({ level: 'error', destination: { write: (line: string) => void lines.push(JSON.parse(line)) } })
    const config = testConfig({ 'database.url': opened.url, 'data.dir': dir })
    const server = await createServer(config, { ...quietly, logger, hooks, ...features })
    servers.push(server)
    return { server, url: (await server.listen()).apiUrl }
  }
  async function newUser(url: string) {
    const name = `user${++names}`
    const token = (await register(url, name)).body.data.access_token as string
    return { name, token, id: (await call(url, 'GET', '/api/v1/auth/me', { token })).body.data.id as number }
  }
  const rpc = (url: string, path: string, token: string | undefined, body: unknown) =>
    fetch(`${url}/trpc/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    }).then((response) => response.json() as any)
  const post = { title: 'A title', content: 'Words that are long enough' }
  const count = async (table: 'post' | 'user' | 'outbox') => (await opened.database.db.selectFrom(table).select('id').execute()).length

  it('change the input of an action, each what the one before has made of it, and the rules hold for what they made', async () => {
    const { url } = await serve(
      { 'posts.create': { before: ({ input }) => ({ ...input, title: `${input.title}!` }) } },
      {
        features: [
          defineFeature({
            name: 'second',
            create: () => ({
              hooks: {
                'posts.create': { before: ({ input }) => (input.tags ? { ...input, title: 'x' } : { ...input, title: `${input.title}?` }) },
              } satisfies Hooks,
            }),
          }),
        ],
      },
    )
    const { token } = await newUser(url)
    expect((await call(url, 'POST', '/api/v1/posts', { token, body: post })).body.data.title).toBe('A title!?')
    expect((await rpc(url, 'posts.create', token, post)).result.data.title).toBe('A title!?')
    expect(await call(url, 'POST', '/api/v1/posts', { token, body: { ...post, tags: ['ab'] } })).toMatchObject({
      status: 400,
      body: { code: 'input.invalid', errors: [{ path: 'title' }] },
    })
  })

  it('refuse an action with a code of their own, on every surface, before anything is written', async () => {
    const { url } = await serve({
      'posts.create': {
        before() {
          throw errors.full()
        },
      },
      'relations.follow': {
        before() {
          throw errors.later({ retryAfterMs: 7_000 })
        },
      },
    })
    const [ada, bob] = [await newUser(url), await newUser(url)]
    const [posts, events] = [await count('post'), await count('outbox')]
    expect(await call(url, 'POST', '/api/v1/posts', { token: ada.token, body: post })).toMatchObject({
      status: 409,
      body: { status: 409, code: 'house.full', message: 'the house is full', request_id: expect.any(String) },
    })
    expect((await rpc(url, 'posts.create', ada.token, post)).error).toMatchObject({
      message: 'the house is full',
      data: { reason: 'house.full', httpStatus: 409, requestId: expect.any(String) },
    })
    const followed = await call(url, 'POST', '/api/v1/relation/follow', { token: ada.token, body: { followee_id: bob.id } })
    expect([followed.status, followed.body.code, followed.headers.get('retry-after')]).toEqual([429, 'house.later', '7'])
    expect([await count('post'), await count('outbox')]).toEqual([posts, events])
    expect(lines).toEqual([]) // nobody did anything wrong but the client
  })

  it('see each action by its name, with who does it, and what came of it after the commit', async () => {
    const seen: any[] = []
    const watch = (): any => ({
      before: ({ action, input, viewer, client }: any) => void seen.push(['before', action, input, viewer?.id ?? client?.device]),
      async after({ action, input, result, viewer }: any) {
        seen.push(['after', action, input, viewer?.id, result])
      },
    })
    const actions = [
      'auth.register auth.login users.create users.update posts.create posts.update posts.delete',
      'relations.follow relations.unfollow notifications.send users.delete',
    ].flatMap((line) => line.split(' '))
    const { url } = await serve(Object.fromEntries(actions.map((action) => [action, watch()])))

    const ada = await newUser(url)
    await login(url, ada.name)
    const { token } = ada
    const other = { username: `other${++names}`, email: `other${names}@example.com`, password: 'correct horse' }
    const bob = (await rpc(url, 'users.create', token, other)).result.data.id as number
    await rpc(url, 'users.update', token, { bio: 'Hello' })
    const made = (await rpc(url, 'posts.create', token, post)).result.data.id as number
    await rpc(url, 'posts.update', token, { id: made, title: 'Another' })
    await rpc(url, 'posts.delete', token, { id: made })
    await rpc(url, 'relations.follow', token, { userId: bob })
    await rpc(url, 'relations.unfollow', token, { userId: bob })
    await rpc(url, 'notifications.send', token, { userId: bob, type: 'note', payload: 1 })
    await rpc(url, 'users.delete', token, undefined)

    expect(seen.map(([side, action]) => `${side} ${action}`)).toEqual(actions.flatMap((action) => [`before ${action}`, `after ${action}`]))
    const of = (side: string, action: string) => seen.find((one) => one[0] === side && one[1] === action).slice(2)
    expect(of('before', 'auth.register')).toEqual([
      expect.objectContaining({ username: ada.name, password: 'correct horse' }),
      expect.any(String),
    ])
    expect(of('after', 'auth.register')).toEqual([
      { username: ada.name, email: `${ada.name}@example.com` },
      undefined,
      { userId: ada.id, sessionId: expect.any(String) },
    ])
    expect(of('after', 'auth.login')[2]).toEqual({ userId: ada.id, sessionId: expect.any(String) })
    expect(of('after', 'users.create')).toEqual([
      { username: other.username, email: other.email },
      ada.id,
      expect.objectContaining({ id: bob }),
    ])
    expect(of('after', 'posts.update')).toEqual([
      { id: made, title: 'Another' },
      ada.id,
      expect.objectContaining({ id: made, title: 'Another' }),
    ])
    expect(of('after', 'relations.follow')).toEqual([{ userId: bob }, ada.id, { created: true }])
    expect(JSON.stringify(seen.filter(([side]) => side === 'after'))).not.toMatch(/correct horse|eyJ/)
  })

  it('that fail after the action are logged and fail nothing, also when they never end', { timeout: 90_000 }, async () => {
    let ran = 0
    const { url } = await serve(
      {
        'posts.create': { after: () => Promise.reject(new Error('mail is away')) },
        'relations.follow': { after: () => sleep(3_600_000, undefined, { ref: false }) },
      },
      { features: [defineFeature({ name: 'second', create: () => ({ hooks: { 'posts.create': { after: () => void ran++ } } }) })] },
    )
    const [ada, bob] = [await newUser(url), await newUser(url)]
    expect((await call(url, 'POST', '/api/v1/posts', { token: ada.token, body: post })).status).toBe(201)
    expect(ran).toBe(1) // the next one has its turn
    expect(lines).toMatchObject([
      { level: 'error', action: 'posts.create', msg: 'a hook failed after its action', err: { message: 'mail is away' } },
    ])
    const followed = await call(url, 'POST', '/api/v1/relation/follow', { token: ada.token, body: { followee_id: bob.id } })
    expect(followed.status).toBe(200)
    expect(lines.at(-1).err.message).toBe('the hook after relations.follow takes longer than 5 s')
  })

  it('that crash before the action answer 500, tell the client nothing, and leave nothing', async () => {
    const { url } = await serve({
      'posts.create': {
        before({ input }) {
          if (input.title === 'Nothing') return 5 as never
          throw new Error('secret of the house')
        },
      },
    })
    const { token } = await newUser(url)
    const posts = await count('post')
    for (const title of ['A title', 'Nothing']) {
      const answer = await call(url, 'POST', '/api/v1/posts', { token, body: { ...post, title } })
      expect([answer.status, answer.body.code]).toEqual([500, 'internal'])
      expect(JSON.stringify(answer.body)).not.toContain('secret')
    }
    expect(await count('post')).toBe(posts)
    expect(lines.map(({ err }) => err.message)).toEqual(['secret of the house', 'a hook before posts.create returned what is no input'])
  })

  it.each([
    [{ 'posts.publish': { before() {} } }, 'There is no action posts.publish to hook: there are'],
    [{ toString: { before() {} } }, 'There is no action toString to hook'],
    [{ 'posts.create': () => {} }, 'The hook of posts.create must be an object with a function before'],
    [{ 'posts.create': { befor() {} } }, 'befor is none'],
    [{ 'posts.create': { after: 'log' } }, 'after is none'],
    [[], 'hooks must be an object of hooks by action'],
  ])('of the shape %o are refused at the start', async (hooks, sentence) => {
    const starting = serve(hooks as Hooks)
    await expect(starting).rejects.toMatchObject({ name: 'StartError', message: expect.stringContaining(sentence) })
  })
})
