import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { client } from '../accounts.ts'
import { bad, bcryptPassword, clearPassword, createGoSystem, fill, isClear, spoil, type GoSystem } from '../go-system.ts'
import { onEachDatabase } from '../matrix.ts'
import { deliverAll } from '../follows.ts'
import { publish } from '../posts.ts'
import { expectCountersRight } from '../seeds.ts'
import { importGo, type ImportOptions, type ImportProgress, type ReportedRow } from '../../src/import-go/import-go.ts'
import { parseDecisions, type Decisions } from '../../src/import-go/decisions.ts'

const postgresUrl = process.env.TEST_POSTGRES_URL
const missing = process.env.TEST_POSTGRES_MISSING ?? 'TEST_POSTGRES_URL is not set'
if (!postgresUrl && process.env.CI) throw new Error('TEST_POSTGRES_URL is required in CI')

const size = { users: 700, posts: 700, follows: 1_400 }
const written = ['user', 'credential', 'post', 'postMedia', 'tag', 'postTag', 'postTotal', 'follow', 'notification'] as const

describe.skipIf(!postgresUrl)(`import of the Go system${postgresUrl ? '' : ` — ${missing}`}`, () => {
  let go: GoSystem
  beforeAll(async () => {
    go = await createGoSystem(postgresUrl!)
    await fill(go, size)
    await spoil(go)
  })
  afterAll(() => go?.drop())

  onEachDatabase('into', (world) => {
    const run = (options: Partial<ImportOptions> = {}) => importGo(async () => world.database, { urls: go.urls, ...options })
    const signIn = async (login: string, password: string) => {
      const pair = await world.app.auth.login({ login, password }, client)
      return world.app.auth.authenticate(pair.accessToken)
    }
    async function dump(): Promise<Record<string, unknown[]>> {
      const all: Record<string, unknown[]> = {}
      for (const table of written) {
        const rows = await world.database.db.selectFrom(table).selectAll().execute()
        // @NOTE the hashes of clear text are salted: no two runs make the same
        all[table] = rows
          .map((row) =>
            JSON.stringify({ ...row, ...('passwordHash' in row && !row.passwordHash.startsWith('$2') && { passwordHash: '' }) }),
          )
          .toSorted()
      }
      return all
    }
    const row = (table: (typeof written)[number], id: number) =>
      world.database.db.selectFrom(table).where('id', '=', id).selectAll().executeTakeFirst() as Promise<any>

    it('brings every row that can be, and says what became of each of the others', async () => {
      const listed: ReportedRow[] = []
      const summary = await run({ onRow: (one) => void listed.push(one) })
      const of = Object.fromEntries(summary.tables.map((table) => [table.table, table]))
      expect(of.users).toEqual({
        table: 'users',
        read: 711,
        imported: 703,
        there: 0,
        skipped: { 'it waits for a decision': 8 },
        noted: {
          'password was clear text: hashed': 9,
          'without a password: it needs a new one': 1,
          'without a time: it has the first day of 1970': 2,
          'username kept that nobody may take here': 1,
          'e-mail address kept that nobody may take here': 1,
          'full name kept beyond the limit': 1,
          'bio kept beyond the limit': 1,
          'avatar left out: no http or https URL': 1,
          'password cannot be typed here: it needs a new one': 1,
        },
      })
      expect(of.posts).toMatchObject({
        read: 711,
        imported: 708,
        skipped: { 'its user is gone': 2, 'its user waits for a decision': 1 },
        noted: {
          'content kept beyond the limits': 7,
          'title kept beyond the limits': 1,
          'without a title: it has an empty one': 1,
          'without a time: it has the first day of 1970': 1,
        },
      })
      expect(of.post_media).toMatchObject({
        read: 476,
        imported: 471,
        skipped: { 'its post is gone': 1, 'its post was not imported': 1, 'no http or https URL': 2, 'neither an image nor a video': 1 },
        noted: { 'without a position: it comes last': 1, 'position kept beyond 1 to 9': 1 },
      })
      expect(of.tags).toMatchObject({
        read: 54,
        imported: 52,
        skipped: { 'it has no name': 2 },
        noted: { 'name kept beyond the limits': 1 },
      })
      expect(of.posts_tags).toMatchObject({
        read: 1_410,
        imported: 1_403,
        skipped: {
          'the post has it already': 1,
          'its tag was not imported': 1,
          'its tag is gone': 1,
          'its post was not imported': 1,
          'its post is gone': 1,
          'its post or tag is missing': 2,
        },
      })
      expect(of.followers).toMatchObject({
        read: 1_407,
        imported: 1_401,
        skipped: {
          'a follow of oneself': 1,
          'the same follow is there under another id': 1,
          'its user is gone': 3,
          'its user waits for a decision': 1,
        },
        noted: { 'without a time: it has the first day of 1970': 1 },
      })
      expect(of.notifications).toMatchObject({
        read: 711,
        imported: 706,
        skipped: { 'its user is gone': 2, 'it has no type': 1, 'its payload is too deep': 1, 'its user waits for a decision': 1 },
        noted: { 'type kept beyond the limit': 1, 'payload kept beyond the limit': 1, 'without a time: it has the first day of 1970': 1 },
      })
      expect(listed.filter(({ table, skipped }) => table === 'posts' && skipped)).toEqual([
        { table: 'posts', id: String(bad + 1), skipped: 'its user is gone' },
        { table: 'posts', id: String(bad + 2), skipped: 'its user is gone' },
        { table: 'posts', id: String(bad + 6), skipped: 'its user waits for a decision' },
      ])
      await expectCountersRight(world.database.db)
      expect(await world.database.db.selectFrom('outbox').selectAll().execute()).toEqual([])
    })

    it('keeps ids, spelling and times, in the form that they have here', async () => {
      await run()
      expect(await row('user', 9)).toMatchObject({
        username: 'user9',
        email: 'user9@example.com',
        fullName: 'User 9',
        fullNameFolded: 'user 9',
        bio: 'I am 9',
        avatarUrl: 'https://example.com/9.jpg',
        createdAt: '2024-01-01T00:00:09.009Z',
        updatedAt: '2024-06-01T00:00:00.000Z',
        role: 'user',
        deletedAt: null,
      })
      expect(await row('post', bad + 4)).toMatchObject({ content: 'müll '.repeat(200_000), authorId: 1 })
      const post = await world.app.posts.byId(bad + 3)
      expect([post.title, post.content, post.createdAt]).toEqual(['', null, '1970-01-01T00:00:00.000Z'])
      expect(post.media.map(({ id, position }) => [id - bad, position])).toEqual([
        [5, 0],
        [3, 1],
        [1, 2],
        [2, 2],
        [4, 9],
      ])
      expect(post.tags).toEqual([
        { id: 1, name: 'tag-1' },
        { id: bad + 1, name: 'Tag-1' },
      ])
      // Without a zone, in a database whose zone is New York's.
      expect((await row('notification', bad + 1)).createdAt).toBe('2024-07-01T12:00:00.123Z')
    })

    it('lets people in by their bcrypt password, and by the one that was kept in clear text', async () => {
      await run()
      expect([isClear(6), isClear(7)]).toEqual([false, true])
      expect((await signIn('user6@example.com', bcryptPassword)).id).toBe(6)
      expect((await signIn('USER7', clearPassword)).id).toBe(7)
      const hashes = await world.database.db.selectFrom('credential').select(['userId', 'passwordHash']).execute()
      const hashOf = (id: number) => hashes.find(({ userId }) => userId === id)!.passwordHash
      expect([hashOf(5).slice(0, 4), hashOf(7).slice(0, 9), hashOf(bad + 9).slice(0, 9), hashOf(bad + 11).slice(0, 9)]).toEqual([
        '$2b$',
        '$argon2id',
        '$argon2id',
        '$argon2id',
      ])
      expect(hashes.length).toBe(703)
      await world.app.auth.resetPassword({ kind: 'host' }, 'no.password', 'battery staple')
      expect((await signIn('no.password', 'battery staple')).id).toBe(bad + 9)
    })

    it('tells of follows as they were told, so that an unfollow takes one back and a new one tells once', async () => {
      await run()
      const viewer = await signIn('user2', bcryptPassword)
      const { items } = await world.app.notifications.feed(viewer, { start: { cursor: undefined }, limit: 10 })
      expect(items.map(({ id, origin, payload }) => [id, origin, payload])).toEqual([
        [bad + 2, 'system', { follower_id: 1, followee_id: 2, timestamptz: '2024-03-01T00:00:00Z' }],
        [bad + 1, 'system', { follower_id: 1, followee_id: 2, timestamptz: '2024-03-01T00:00:00Z' }],
        [1, 'system', { follower_id: 1, followee_id: 2, timestamptz: '2024-03-01T00:00:00.123456789Z' }],
      ])
      expect(await world.app.notifications.unreadCount(viewer)).toEqual({ count: 2 })
      await world.app.relations.unfollow(1, 2)
      await deliverAll(world)
      expect(await world.app.notifications.unreadCount(viewer)).toEqual({ count: 1 })
      await world.app.relations.follow(1, 2)
      await deliverAll(world)
      expect(await world.app.notifications.unreadCount(viewer)).toEqual({ count: 2 })
      // What a user has sent, also where it calls itself a follow of somebody else.
      const third = await signIn('user3', bcryptPassword)
      const sent = await world.app.notifications.feed(third, { start: { cursor: undefined }, limit: 5 })
      expect(sent.items.map(({ id, origin, senderId }) => [id - bad, origin, senderId])).toEqual([
        [9, 'user', null],
        [5, 'user', null],
        [4, 'user', null],
        [3, 'user', null],
        [2 - bad, 'system', null],
      ])
      expect(sent.items.map((item) => 'payload' in item && item.payload)).toMatchObject([{ text: 'x'.repeat(20_000) }, false, null, {}, {}])
      await expectCountersRight(world.database.db)
    })

    it('goes on counting behind the ids that were given out there', async () => {
      await run()
      const author = { viewer: await signIn('user1', bcryptPassword) }
      expect((await publish(world, author as Parameters<typeof publish>[1])).id).toBe(bad + 16)
      const newcomer = { username: 'newcomer', email: 'new@example.com', password: 'correct horse' }
      expect((await world.app.users.create(author.viewer, newcomer)).id).toBe(bad + 21)
    })

    it('changes nothing when it runs again, and nothing when it only tries', async () => {
      const tried = await run({ dryRun: true })
      expect((await dump()).user).toEqual([])
      const first = await run()
      expect(tried.tables).toEqual(first.tables)
      expect(tried.waiting).toEqual(first.waiting)
      const before = await dump()
      const second = await run()
      expect(await dump()).toEqual(before)
      for (const [index, { imported, there, read, skipped }] of second.tables.entries()) {
        expect({ imported, there, read, skipped }).toEqual({
          ...first.tables[index],
          noted: undefined,
          table: undefined,
          imported: 0,
          there: first.tables[index]!.imported,
        })
      }
      expect((await run({ dryRun: true })).tables).toEqual(second.tables)
    })

    it('leaves every counter right wherever it is stopped, and goes on to the very same rows', async () => {
      await run()
      const whole = await dump()
      await empty()
      let stops = 0
      for (; ; stops++) {
        const done = await run({ onProgress: stoppingAtNewRow() }).catch((error: Error) => error.message)
        await expectCountersRight(world.database.db)
        if (done !== 'stopped') break
      }
      expect(stops).toBe(9)
      expect(await dump()).toEqual(whole)
    })

    it('says which of the databases it has lost, and goes on when it is back', async () => {
      const cut = async () => {
        await go.run(
          'relations',
          "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'pinstack import' and datname = current_database()",
        )
        return world.database
      }
      await expect(importGo(cut, { urls: go.urls })).rejects.toThrow(
        /^The relations database \(--relations\), postgres:\/\/postgres:\*+@.*, cannot be read \(.*\): what is imported stays; run the same command again\.$/,
      )
      await expectCountersRight(world.database.db)
      expect((await run()).tables.map(({ imported, there }) => imported + there)).toEqual([703, 708, 471, 52, 1_403, 1_401, 706])
    })

    it('waits for decisions, and brings with an account what hangs on it', async () => {
      const decide = (text: string): Decisions => parseDecisions(text)
      const { waiting } = await run()
      expect(waiting.map(({ id, because }) => [id - bad, because])).toEqual([
        [1, [`its username is that of user ${bad + 2}`]],
        [2, [`its username is that of user ${bad + 1}`]],
        [3, [`its e-mail address is that of user ${bad + 4}`]],
        [4, [`its e-mail address is that of user ${bad + 3}`]],
        [5, [`its username is that of user ${bad + 6}`]],
        [6, [`its username is that of user ${bad + 5}`]],
        [7, ['it has no username']],
        [8, ['it has no e-mail address']],
      ])
      const partly = decide(`users:
  ${bad + 1}: { decision: keep }
  ${bad + 4}: { decision: skip }
  ${bad + 7}: { decision: rename, username: ANN }
  ${bad + 8}: { decision: rename, email: mailless@example.com }`)
      const second = await run({ decisions: partly })
      expect(second.tables[0]).toMatchObject({
        imported: 3,
        there: 703,
        skipped: { 'it waits for a decision': 4, 'it is left out by decision': 1 },
      })
      expect(second.waiting.map(({ id }) => id - bad)).toEqual([2, 5, 6, 7])
      expect(second.waiting[0]!.because).toEqual([`its username is that of user ${bad + 1}, who keeps it, user ${bad + 7}`])
      expect(second.tables[5]).toMatchObject({ imported: 1 })
      expect((await signIn('ANN', bcryptPassword)).id).toBe(bad + 1)
      const third = await run({ decisions: decide(`users: { ${bad + 2}: { decision: rename, username: ann.two } }`), amongOthers: true })
      expect(third.tables[1]).toMatchObject({ imported: 1 })
      expect((await world.app.posts.byId(bad + 6)).author).toMatchObject({ username: 'ann.two', id: bad + 2 })
      await expectCountersRight(world.database.db)
    })

    it('does not go among other people unless told, and then mixes nobody up', async () => {
      const stranger = await world.app.auth.register(
        { username: 'USER5', email: 'stranger@example.com', password: 'correct horse' },
        client,
      )
      const { id } = await world.app.auth.authenticate(stranger.accessToken)
      await expect(run()).rejects.toThrow(`The database has accounts that are not of the Go system (user ${id} is the first)`)
      await expect(run({ dryRun: true })).rejects.toThrow('The database has accounts that are not of the Go system')
      expect((await dump()).user).toHaveLength(1)
      const summary = await run({ amongOthers: true })
      const isTheirs = id <= size.users // on Postgres the ids go on from the tests before
      expect(summary.tables[0]!.skipped).toEqual({ 'it waits for a decision': 9, ...(isTheirs && { 'its id is another user’s here': 1 }) })
      expect(summary.waiting[0]!.because).toEqual([`its username is that of user ${id}, who is in Pinstack`])
      const { items } = await world.app.posts.list({ authorId: id }, { start: { offset: 0 }, limit: 10 })
      expect(items).toEqual([])
      await expectCountersRight(world.database.db)
    })

    it('is careful where people have signed in since', async () => {
      await run()
      await signIn('user1', bcryptPassword)
      await expect(run()).rejects.toThrow('People have signed in to this database')
      expect((await run({ amongOthers: true })).tables[0]).toMatchObject({ imported: 0, there: 703 })
    })

    async function empty(): Promise<void> {
      await world.database.transaction(async (tx) => {
        for (const table of ['credential', 'postTag', 'postMedia', 'tag', 'post', 'notification', 'follow', 'user'] as const)
          await tx.deleteFrom(table).execute()
        await tx.updateTable('postTotal').set({ count: 0 }).execute()
      })
    }

    /** Stops a run after the first page that has not been there before. */
    let furthest = 0
    function stoppingAtNewRow() {
      let pages = 0
      return ({ stage, done, total }: ImportProgress) => {
        if (stage === 'names' || done === 0 || done === total) return
        if (++pages > furthest) {
          furthest = pages
          throw new Error('stopped')
        }
      }
    }
  })
})
