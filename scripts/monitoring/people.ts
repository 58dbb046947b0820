import { openEvents } from '../../packages/server/test/event-stream.ts'
import { call, login, register } from '../../packages/server/test/serve.ts'

const wrongLoginsMax = 30

/**
 * People who do all that a server can be asked for, at `url`, as a round that may be repeated: every family of metrics has grown by
 * then. Someone listens to live events until `leave`. Twelve rounds a minute are as many as the limits let pass.
 */
export async function comePeople(url: string, places: { hasLimits: boolean }) {
  const rest = async (method: string, path: string, token?: string, body?: unknown) => {
    const answer = await call(url, method, `/api/v1${path}`, { body, ...(token && { token }) })
    if (answer.status === 400 || answer.status >= 500) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer
  }
  const idOf = async (token: string): Promise<number> => (await rest('GET', '/auth/me', token)).body.data.id
  let rounds = 0
  const bob = (await register(url, 'bob')).body.data
  const bobId = await idOf(bob.access_token)
  if (places.hasLimits) await guess()
  const listening = await Promise.all(
    ['notifications', 'unreadCount', 'relations', 'posts'].map((topic) =>
      openEvents(`${url}/trpc/live.${topic}`, { token: bob.access_token }),
    ),
  )
  if (listening.some(({ status }) => status !== 200)) throw new Error('a stream was refused')

  async function round(): Promise<void> {
    const name = `ann${rounds++}`
    await register(url, name)
    const ann = (await login(url, name)).body.data
    const token = (await rest('POST', '/auth/refresh', undefined, { refresh_token: ann.refresh_token })).body.data.access_token
    const annId = await idOf(token)
    await rest('GET', `/users/${annId}`)
    await rest('GET', `/users/${annId}`)
    await rest('PUT', '/users', token, { id: annId, full_name: 'Ann' })
    await rest('GET', '/users/search?query=ann')

    const post = {
      title: 'A day',
      content: 'Water, and more water.',
      tags: ['lake'],
      media_items: [{ url: 'https://example.com/a.jpg', type: 'image', position: 1 }],
    }
    await rest('POST', '/posts', token, post)
    const listed = (await rest('GET', '/posts/list?limit=5')).body.data
    const postId = listed.posts[0].id
    await rest('GET', `/posts/${postId}`)
    await rest('GET', `/posts/${postId}`)
    await rest('PUT', `/posts/${postId}`, token, { title: 'Two days' })
    await call(url, 'GET', `/trpc/posts.byId?input=${encodeURIComponent(JSON.stringify({ id: postId }))}`)

    await rest('POST', '/relation/follow', token, { followee_id: bobId })
    await rest('GET', `/relation/${bobId}/followers`)
    await rest('POST', '/notification/send', token, { user_id: bobId, type: 'wave', payload: { hello: true } })
    await rest('GET', '/notification/feed', bob.access_token)
    await rest('GET', '/notification/unread-count', bob.access_token)
    await rest('POST', '/relation/unfollow', token, { followee_id: bobId })
    const left = await openEvents(`${url}/trpc/live.posts`, { token })
    left.close()
    await left.ended

    await rest('GET', '/nothing')
    await rest('GET', '/auth/me')
    await rest('POST', '/auth/login', undefined, { login: name, password: 'wrong wrong' })
    await rest('POST', '/auth/logout', undefined, { refresh_token: (await login(url, name)).body.data.refresh_token })
  }

  /** Someone tries passwords until a limit refuses. */
  async function guess(): Promise<void> {
    for (let i = 0; i < wrongLoginsMax; i++) {
      if ((await rest('POST', '/auth/login', undefined, { login: 'bob', password: `wrong ${i} wrong` })).status === 429) return
    }
    throw new Error('no limit refused')
  }

  return {
    round,
    leave(): void {
      for (const stream of listening) stream.close()
    },
  }
}
