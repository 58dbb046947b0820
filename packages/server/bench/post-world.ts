import { join } from 'node:path'
import { openApp } from '../src/open-app.ts'
import { benchConfig, login, password } from './world.ts'

const users = 1_000
const posts = 20_000
const atOnce = 16

export const sqliteFile = (dir: string) => join(dir, 'pinstack.db')
export const newPost = {
  title: 'A day at the lake',
  content: 'We swam, we slept in the shade, and in the evening the whole lake was ours alone.',
  tags: ['tag 1', 'tag 2', 'tag 3'],
  media: [{ url: 'https://cdn.example.com/media/lake-1.jpg', type: 'image' as const, position: 1 }],
}

/** 1,000 users and 20,000 posts of theirs, made by the product itself; returns an access token of the first user. */
export async function seedPosts(dir: string): Promise<string> {
  const { app, database, close } = await openApp(
    benchConfig(dir, { 'rateLimits.enabled': false, 'database.synchronous': 'normal', 'auth.accessTtl': '2h' }),
    { migrate: true },
  )
  const { accessToken } = await app.auth.register(
    { username: login, email: `${login}@example.com`, password, fullName: 'User Number 1' },
    { address: '127.0.0.1', device: 'bench' },
  )
  const { id: firstId } = await app.auth.authenticate(accessToken)
  const time = new Date().toISOString()
  await database.transaction(async (tx) => {
    for (let index = 2; index <= users; index++) {
      const names = {
        username: `user${index}`,
        usernameFolded: `user${index}`,
        email: `user${index}@example.com`,
        emailFolded: `user${index}@example.com`,
      }
      const profile = {
        fullName: `User Number ${index}`,
        fullNameFolded: `user number ${index}`,
        bio: 'I am one of many users here.',
        avatarUrl: `https://cdn.example.com/avatars/${index}.png`,
      }
      await tx
        .insertInto('user')
        .values({ ...names, ...profile, createdAt: time, updatedAt: time })
        .execute()
    }
  })
  let made = 0
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (made < posts) {
        const index = made++
        const viewer = { id: firstId + ((index * 7) % users), role: 'user' as const, sessionId: '' }
        const tags = [1, 2, 3].map((step) => `tag ${(index * step) % 200}`)
        await app.posts.create(viewer, { ...newPost, title: `Post number ${index}`, tags })
      }
    }),
  )
  await database.transaction((tx) => tx.deleteFrom('outbox').execute()) // as if all had been delivered long ago
  await close()
  return accessToken
}
