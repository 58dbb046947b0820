import type { NewMedia, NewPost, Post } from '../src/features/posts/posts.ts'
import type { SignedUp } from './accounts.ts'
import type { Db } from '../src/schema.ts'
import type { World } from './matrix.ts'

export const picture = (position: number, name = 'lake'): NewMedia => ({ url: `https://example.com/${name}.jpg`, type: 'image', position })

/** A new post; what is not given is in order. */
export function publish({ app }: World, { viewer }: Pick<SignedUp, 'viewer'>, input: Partial<NewPost> = {}): Promise<Post> {
  return app.posts.create(viewer, { title: 'A day at the lake', content: 'Water, and more water.', ...input })
}

/** What the counters say, after it was made sure that they are what the rows say. */
export async function countersOf({
  database: { db },
}: {
  database: { db: Db }
}): Promise<{ total: number; authors: Record<string, number> }> {
  const posts = await db.selectFrom('post').select('authorId').execute()
  const ownOf = new Map<number, number>()
  for (const { authorId } of posts) ownOf.set(authorId, (ownOf.get(authorId) ?? 0) + 1)
  const shards = await db.selectFrom('postTotal').select('count').execute()
  const users = await db.selectFrom('user').select(['id', 'username', 'postCount']).orderBy('id').execute()
  const total = shards.reduce((sum, { count }) => sum + count, 0)
  if (total !== posts.length) throw new Error(`the total is ${total}, and there are ${posts.length} posts`)
  for (const { id, username, postCount } of users) {
    const own = ownOf.get(id) ?? 0
    if (postCount !== own) throw new Error(`${username} has ${own} posts, and a counter of ${postCount}`)
  }
  return { total, authors: Object.fromEntries(users.map(({ username, postCount }) => [username, postCount])) }
}
