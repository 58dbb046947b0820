import { randomBytes } from 'node:crypto'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import pg from 'pg'
import type { SourceUrls } from '../src/import-go/import-go.ts'

// The databases of the Go system as they are in the field, and as bad as they can be: without the constraints that would keep bad rows out.

export interface GoSize {
  users: number
  posts: number
  follows: number
}

export interface GoSystem {
  urls: SourceUrls
  run(name: keyof SourceUrls, sql: string): Promise<unknown[]>
  drop(): Promise<void>
}

export const bcryptPassword = 'correct horse'
export const clearPassword = 'clear text horse'

/** Every so manieth account has its password in clear text. */
const clearEvery = 100
export const isClear = (id: number) => id % clearEvery === 7

const tables = {
  users: `create table users (id bigint generated always as identity primary key, username varchar(255), email varchar(255), password varchar(255),
    full_name varchar(255), bio text, avatar_url text, created_at timestamptz, updated_at timestamptz)`,
  posts: `create type media_type as enum ('image', 'video');
    create table posts (id bigint generated always as identity primary key, author_id bigint, title varchar(255), content text, created_at timestamptz, updated_at timestamptz);
    create table post_media (id bigint generated always as identity primary key, post_id bigint, url text, type media_type, position integer, created_at timestamptz default now());
    create table tags (id bigint generated always as identity primary key, name varchar(50) unique);
    create table posts_tags (post_id bigint, tag_id bigint)`,
  relations: `create table followers (id bigint generated always as identity primary key, follower_id bigint, followee_id bigint, created_at timestamptz)`,
  notifications: `create table notifications (id bigint generated always as identity primary key, user_id bigint, type text, is_read boolean, created_at timestamp, payload jsonb)`,
} as const

/** Four databases on the Postgres of the tests, with the time zone of none of their times. */
export async function createGoSystem(postgresUrl: string): Promise<GoSystem> {
  const admin = new pg.Client({ connectionString: postgresUrl })
  await admin.connect()
  const suffix = randomBytes(6).toString('hex')
  const urls = {} as Record<keyof SourceUrls, string>
  const clients = {} as Record<keyof SourceUrls, pg.Client>
  for (const [name, sql] of Object.entries(tables) as [keyof SourceUrls, string][]) {
    const database = `go_${name}_${suffix}`
    await admin.query(`create database ${database}`)
    await admin.query(`alter database ${database} set timezone = 'America/New_York'`)
    urls[name] = Object.assign(new URL(postgresUrl), { pathname: database }).href
    clients[name] = new pg.Client({ connectionString: urls[name] })
    await clients[name].connect()
    await clients[name].query(sql)
  }
  return {
    urls,
    run: async (name, sql) => (await clients[name].query(sql)).rows,
    async drop() {
      for (const client of Object.values(clients)) await client.end()
      for (const name of Object.keys(tables)) await admin.query(`drop database go_${name}_${suffix} with (force)`)
      await admin.end()
    },
  }
}

/** Rows without a fault: `user1` … with posts in turn, two tags and every third a picture, follows, and of each follow its notification. */
export async function fill({ run }: GoSystem, { users, posts, follows }: GoSize): Promise<void> {
  const hash = await bcryptHash(bcryptPassword, { cost: 4 })
  const each = Math.floor(follows / users)
  await run(
    'users',
    `insert into users (username, email, password, full_name, bio, avatar_url, created_at, updated_at)
     select 'user' || n, 'user' || n || '@example.com', case when n % ${clearEvery} = 7 then '${clearPassword}' else '${hash}' end, 'User ' || n,
       case when n % 3 = 0 then 'I am ' || n end, 'https://example.com/' || n || '.jpg', timestamptz '2024-01-01 00:00:00Z' + n * interval '1.001 second',
       timestamptz '2024-06-01 00:00:00Z' from generate_series(1, ${users}) n`,
  )
  await run(
    'posts',
    `insert into posts (author_id, title, content, created_at, updated_at)
     select 1 + n % ${users}, 'Title ' || n, 'This is the content of post ' || n, timestamptz '2024-02-01 00:00:00Z' + n * interval '1 second', timestamptz '2024-06-01 00:00:00Z'
     from generate_series(1, ${posts}) n;
     insert into post_media (post_id, url, type, position) select n, 'https://example.com/' || n || '/' || p || '.jpg', 'image', 3 - p
     from generate_series(3, ${posts}, 3) n, generate_series(1, 2) p;
     insert into tags (name) select 'tag-' || n from generate_series(1, 50) n;
     insert into posts_tags select n, 1 + (n + k * 7) % 50 from generate_series(1, ${posts}) n, generate_series(0, 1) k`,
  )
  await run(
    'relations',
    `insert into followers (follower_id, followee_id, created_at)
     select 1 + n, 1 + (n + k * 7 + 1) % ${users}, timestamptz '2024-03-01 00:00:00Z' + (k * ${users} + n) * interval '1 second'
     from generate_series(0, ${each - 1}) k, generate_series(0, ${users - 1}) n`,
  )
  await run(
    'notifications',
    `insert into notifications (user_id, type, is_read, created_at, payload)
     select 1 + (n + k * 7 + 1) % ${users}, 'follow_created', n % 2 = 0, timestamp '2024-03-01 00:00:00.120' + (k * ${users} + n) * interval '1 second',
       jsonb_build_object('follower_id', 1 + n, 'followee_id', 1 + (n + k * 7 + 1) % ${users}, 'timestamptz', '2024-03-01T00:00:00.123456789Z')
     from generate_series(0, ${Math.max(1, Math.floor(each / 4)) - 1}) k, generate_series(0, ${users - 1}) n`,
  )
}

/** Ids from here on belong to rows with faults; the ones before are without. */
export const bad = 1_000_000

/** One of each fault that a table without constraints can have. Needs at least 10 users without a fault. */
export async function spoil({ run }: GoSystem): Promise<void> {
  const hash = await bcryptHash(bcryptPassword, { cost: 4 })
  const user = (offset: number, username: string, email: string, rest = `'${hash}', null, null, null, '2024-05-01Z', '2024-05-01Z'`) =>
    `(${bad + offset}, ${username}, ${email}, ${rest})`
  await run(
    'users',
    `insert into users overriding system value values
      ${user(1, `'Ann'`, `'ann@example.com'`)}, ${user(2, `'aNN'`, `'ann2@example.com'`)},
      ${user(3, `'bo'`, `'Bo@Example.com'`)}, ${user(4, `'bo.2'`, `'bo@example.com'`)},
      ${user(5, `'ｄora'`, `'dora@example.com'`)}, ${user(6, `'DORA'`, `'dora6@example.com'`)},
      ${user(7, `null`, `'nobody@example.com'`)}, ${user(8, `'mailless'`, `null`)},
      ${user(9, `'no.password'`, `'no.password@example.com'`, `null, null, null, null, '2024-05-01Z', null`)},
      ${user(10, `'a name @ odds'`, `'no address'`, `'short', repeat('n', 200), repeat('b', 5000), 'javascript:alert(1)', null, null`)},
      ${user(11, `'for.ever'`, `'for.ever@example.com'`, `'$2a$31$' || repeat('a', 53), '', '', '', 'infinity', '-infinity'`)}`,
  )
  await run(
    'posts',
    `insert into posts overriding system value values
      (${bad + 1}, 999999, 'Orphan', 'Its author is gone', '2024-05-01Z', '2024-05-01Z'), (${bad + 2}, null, 'Nobody’s', 'It has no author', '2024-05-01Z', '2024-05-01Z'),
      (${bad + 3}, 1, null, null, null, null), (${bad + 4}, 1, 'A megabyte', repeat('müll ', 200000), '2024-05-01Z', '2024-05-01Z'),
      (${bad + 5}, 2, 'x', 'short', '2024-05-01Z', '2024-05-01Z'), (${bad + 6}, ${bad + 2}, 'By one who waits', 'Its author waits', '2024-05-01Z', '2024-05-01Z');
     insert into posts overriding system value select ${bad} + 10 + n, 3, 'Large ' || n, repeat(md5(n::text), 32768), '2024-05-01Z', '2024-05-01Z' from generate_series(1, 5) n;
     insert into post_media (id, post_id, url, type, position) overriding system value values
      (${bad + 1}, ${bad + 3}, 'https://example.com/b.jpg', 'image', 2), (${bad + 2}, ${bad + 3}, 'https://example.com/c.jpg', 'video', 2),
      (${bad + 3}, ${bad + 3}, 'https://example.com/a.jpg', 'image', 1), (${bad + 4}, ${bad + 3}, 'https://example.com/d.jpg', 'image', null),
      (${bad + 5}, ${bad + 3}, 'https://example.com/0.jpg', 'image', 0), (${bad + 6}, ${bad + 3}, 'javascript:alert(1)', 'image', 3),
      (${bad + 7}, ${bad + 3}, null, 'image', 3), (${bad + 8}, ${bad + 3}, 'https://example.com/e.jpg', null, 3),
      (${bad + 9}, 888888, 'https://example.com/f.jpg', 'image', 3), (${bad + 10}, ${bad + 1}, 'https://example.com/g.jpg', 'image', 3);
     insert into tags overriding system value values (${bad + 1}, 'Tag-1'), (${bad + 2}, 'x'), (${bad + 3}, null), (${bad + 4}, '');
     insert into posts_tags values (${bad + 3}, ${bad + 1}), (${bad + 3}, ${bad + 1}), (${bad + 3}, 1), (${bad + 3}, ${bad + 3}), (${bad + 3}, 777777),
      (${bad + 1}, 1), (888888, 1), (null, 1), (${bad + 3}, null), (${bad + 4}, ${bad + 2})`,
  )
  await run(
    'relations',
    `insert into followers overriding system value values (${bad + 1}, 5, 5, '2024-05-01Z'), (${bad + 2}, 1, 2, '2024-05-01Z'), (${bad + 3}, 999999, 1, '2024-05-01Z'),
      (${bad + 4}, 1, 999999, '2024-05-01Z'), (${bad + 5}, null, 1, '2024-05-01Z'), (${bad + 6}, ${bad + 1}, 1, '2024-05-01Z'), (${bad + 7}, ${bad + 9}, 1, null)`,
  )
  const note = (offset: number, userId: string, type: string, payload: string, rest = `false, '2024-07-01 12:00:00.123456'`) =>
    `(${bad + offset}, ${userId}, ${type}, ${rest}, ${payload})`
  const follow = `'{"follower_id": 1, "followee_id": 2, "timestamptz": "2024-03-01T00:00:00Z"}'`
  await run(
    'notifications',
    `insert into notifications overriding system value values
      ${note(1, '2', `'follow_created'`, follow)}, ${note(2, '2', `'follow_created'`, follow)}, ${note(3, '3', `'follow_created'`, follow)},
      ${note(4, '3', `'like'`, `'null'`)}, ${note(5, '3', `'like'`, `null`, `null, null`)}, ${note(6, '999999', `'like'`, `null`)},
      ${note(7, 'null', `'like'`, `null`)}, ${note(8, '3', `null`, `null`)}, ${note(9, '3', `repeat('t', 300)`, `jsonb_build_object('text', repeat('x', 20000))`)},
      ${note(10, '3', `'deep'`, `(repeat('[', 600) || repeat(']', 600))::jsonb`)}, ${note(11, String(bad + 1), `'like'`, `null`)}`,
  )
}
