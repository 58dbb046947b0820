// Two people, a post, a like, and the notification of it, as it comes. The feature's procedures have their own types.
//
//   node client.ts [http://127.0.0.1:3000]
import { createPinstack, isPinstackError } from '@pinstack/sdk'
import type { Pinstack } from './app.ts'

const origin = process.argv[2] ?? 'http://127.0.0.1:3000'
const [ada, bob] = [createPinstack<Pinstack>({ url: `${origin}/social` }), createPinstack<Pinstack>({ url: `${origin}/social` })]
const unique = Date.now()
for (const [name, client] of [
  ['ada', ada],
  ['bob', bob],
] as const)
  await client.register({ username: `${name}${unique}`, email: `${name}${unique}@example.com`, password: 'correct horse' })

try {
  await ada.posts.create({ title: 'Buy now', content: 'This is spam, and long enough.' })
} catch (error) {
  if (!isPinstackError(error) || error.code !== 'like.banned_word') throw error
  console.log('refused:', error.message)
}

const post = await ada.posts.create({ title: 'Hello', content: 'The first of many.' })
const told = (async () => {
  for await (const change of ada.live.notifications()) if (change.type === 'created') return change.notification
})()
const { added } = await bob.features.like.add.mutate({ postId: post.id })
const { count } = await bob.features.like.count.query({ postId: post.id })
console.log('liked:', added, count)

const notification = await told
console.log('told:', notification?.type, JSON.stringify(notification?.payload))

const { accessToken } = (await bob.session())!
const hello = await fetch(`${origin}/hello`, { headers: { authorization: `Bearer ${accessToken}` } })
console.log('the host:', await hello.text(), await (await fetch(`${origin}/likes/${post.id}`)).text())
