import './dom.ts'
import { act, fireEvent, screen, waitFor } from '@testing-library/react'
import { useState } from 'react'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  useCreatePost,
  useDeletePost,
  useFollow,
  useFollowers,
  usePosts,
  useRelationCounts,
  useUpdateMe,
  useMe,
  useUserByUsername,
  useUserSearch,
} from '../../src/react/react.ts'
import { record, registered, startServer, type RunningServer } from '../running-server.ts'
import { show } from './page.tsx'

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

/** A call that goes out when it is let. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { open, opened }
}

const click = (name: string | RegExp) => fireEvent.click(screen.getByRole('button', { name }))
const textOf = (id: string) => screen.getByTestId(id).textContent

function Posts({ authorId }: { authorId: number }) {
  const { data: posts = [], hasNextPage, fetchNextPage } = usePosts({ authorId }, { limit: 2 })
  const createPost = useCreatePost()
  const deletePost = useDeletePost()
  const [title, setTitle] = useState('Number 6')
  return (
    <>
      <p data-testid="posts">
        {posts.map((post) => `${post.title}${post.id < 0 ? ' (on its way)' : ''} by ${post.author.username}`).join(', ')}
      </p>
      <p data-testid="error">{createPost.error?.code}</p>
      {hasNextPage && <button onClick={() => void fetchNextPage()}>More</button>}
      <button onClick={() => setTitle('No')}>Shorten</button>
      <button onClick={() => createPost.mutate({ title, content: 'Ten letters and more.', tags: ['numbers'] })}>Post</button>
      <button onClick={() => deletePost.mutate(posts[0]!.id)}>Delete the first</button>
    </>
  )
}

function Me() {
  const { data: me } = useMe()
  return me ? <Posts authorId={me.id} /> : null
}

it('lists by the page, and pages on', async () => {
  const { pinstack, username } = await registered(server.url)
  for (let number = 1; number <= 5; number++) await pinstack.posts.create({ title: `Number ${number}`, content: 'Ten letters and more.' })
  show(pinstack, <Me />)
  const titles = (...numbers: number[]) => numbers.map((number) => `Number ${number} by ${username}`).join(', ')
  await waitFor(() => expect(textOf('posts')).toBe(titles(5, 4)))
  click('More')
  await waitFor(() => expect(textOf('posts')).toBe(titles(5, 4, 3, 2)))
  click('More')
  await waitFor(() => expect(textOf('posts')).toBe(titles(5, 4, 3, 2, 1)))
  expect(screen.queryByText('More')).toBeNull()
})

it('shows a post at once, then as the server has it; and takes it back when the server refuses it', async () => {
  const [sending, looking] = [gate(), gate()]
  const recorder = record(async (path, send) => {
    if (path === 'posts.create') await sending.opened
    if (path === 'posts.list' && recorder.count('posts.create') > 1) await looking.opened // the list is mended before it is loaded anew
    return send()
  })
  const { pinstack, username } = await registered(server.url, { fetch: recorder.fetch })
  show(pinstack, <Me />)
  await waitFor(() => expect(recorder.count('posts.list')).toBeGreaterThan(0))
  await waitFor(() => expect(screen.queryByText('Post')).not.toBeNull())
  click('Post')
  await waitFor(() => expect(textOf('posts')).toBe(`Number 6 (on its way) by ${username}`))
  sending.open()
  await waitFor(() => expect(textOf('posts')).toBe(`Number 6 by ${username}`))

  click('Shorten')
  click('Post')
  await waitFor(() => expect(textOf('posts')).toContain('No (on its way)'))
  await waitFor(() => expect(textOf('error')).toBe('input.invalid'))
  await waitFor(() => expect(textOf('posts')).toBe(`Number 6 by ${username}`))
  looking.open()

  click('Delete the first')
  await waitFor(() => expect(textOf('posts')).toBe(''))
  expect(
    await pinstack.posts
      .list({ authorId: (await pinstack.me()).id })
      .pages()
      .next(),
  ).toMatchObject({ value: { items: [] } })
})

function Person({ username }: { username: string }) {
  const { data: user } = useUserByUsername(username)
  return user ? <FollowButton id={user.id} /> : null
}

function FollowButton({ id }: { id: number }) {
  const { isFollowing, isPending, follow, unfollow, error } = useFollow(id)
  const { data: counts } = useRelationCounts(id)
  const { data: followers = [] } = useFollowers(id)
  return (
    <>
      <p data-testid="state">{`${isFollowing ? 'following' : isFollowing === false ? 'not following' : 'unknown'}, ${counts?.followers} followers`}</p>
      <p data-testid="followers">{followers.map((one) => one.username).join(', ')}</p>
      <p data-testid="outcome">{isPending ? 'sending' : (error?.code ?? 'done')}</p>
      <button onClick={follow}>Follow</button>
      <button onClick={unfollow}>Unfollow</button>
    </>
  )
}

it('follows at once, before the server has answered, and unfollows', async () => {
  const sending = gate()
  const recorder = record(async (path, send) => {
    if (path === 'relations.follow') await sending.opened
    return send()
  })
  const other = await registered(server.url)
  const { pinstack, username } = await registered(server.url, { fetch: recorder.fetch })
  show(pinstack, <Person username={other.username} />)
  await waitFor(() => expect(textOf('state')).toBe('not following, 0 followers'))
  click('Follow')
  await waitFor(() => expect(textOf('state')).toBe('following, 1 followers'))
  expect(textOf('outcome')).toBe('sending')
  expect(textOf('followers')).toBe('')
  sending.open()
  await waitFor(() => expect(textOf('outcome')).toBe('done'))
  await waitFor(() => expect(textOf('followers')).toBe(username))
  expect(textOf('state')).toBe('following, 1 followers')

  click('Unfollow')
  await waitFor(() => expect(textOf('state')).toBe('not following, 0 followers'))
  await waitFor(() => expect(textOf('followers')).toBe(''))
})

it('takes a follow back when the server refuses it, and says why', async () => {
  const [sending, looking] = [gate(), gate()]
  const recorder = record(async (path, send) => {
    if (path === 'relations.follow') await sending.opened
    else if (recorder.paths.includes('relations.follow')) await looking.opened // what comes back is not what the server says anew
    return send()
  })
  const other = await registered(server.url)
  const { pinstack } = await registered(server.url, { fetch: recorder.fetch })
  show(pinstack, <Person username={other.username} />)
  await waitFor(() => expect(textOf('state')).toBe('not following, 0 followers'))
  await other.pinstack.users.delete()
  click('Follow')
  await waitFor(() => expect(textOf('state')).toBe('following, 1 followers'))
  sending.open()
  await waitFor(() => expect(textOf('outcome')).toBe('users.not_found'))
  expect(textOf('state')).toBe('not following, 0 followers')
  looking.open()
})

it('ends as the last of many quick clicks says, and sends them in their order', async () => {
  const other = await registered(server.url)
  const recorder = record()
  const { pinstack } = await registered(server.url, { fetch: recorder.fetch })
  show(pinstack, <Person username={other.username} />)
  await waitFor(() => expect(textOf('state')).toBe('not following, 0 followers'))
  for (const name of ['Follow', 'Unfollow', 'Follow', 'Unfollow', 'Follow']) click(name)
  await waitFor(() => expect(textOf('state')).toBe('following, 1 followers'))
  await waitFor(() => expect(textOf('outcome')).toBe('done'))
  const sent = recorder.paths.filter((path) => /^relations[.](un)?follow$/.test(path))
  expect(sent.map((path) => path.split('.')[1])).toEqual(['follow', 'unfollow', 'follow', 'unfollow', 'follow'])
  await waitFor(() => expect(textOf('state')).toBe('following, 1 followers'))
  const { id } = await pinstack.users.getByUsername(other.username)
  expect(await pinstack.relations.counts(id)).toEqual({ followers: 1, followees: 0 })
})

function Search({ text }: { text: string }) {
  const { data: people = [] } = useUserSearch(text)
  return (
    <ul>
      {people.map((person) => (
        <li key={person.id}>
          <Standing id={person.id} name={person.username} />
        </li>
      ))}
    </ul>
  )
}

function Standing({ id, name }: { id: number; name: string }) {
  const { isFollowing } = useFollow(id)
  return <>{`${name}: ${isFollowing}`}</>
}

it('asks once how one stands to all people of a list', async () => {
  const people = await Promise.all(Array.from({ length: 12 }, () => registered(server.url)))
  const recorder = record()
  const { pinstack } = await registered(server.url, { fetch: recorder.fetch })
  const last = await pinstack.users.getByUsername(people.at(-1)!.username)
  await pinstack.relations.follow(last.id)
  show(pinstack, <Search text="user" />)
  await screen.findByText(`${last.username}: true`)
  expect(screen.getAllByText(/: (true|false)$/).length).toBeGreaterThan(12)
  expect(recorder.count('relations.status')).toBe(1)
})

function Name() {
  const { data: me } = useMe()
  const update = useUpdateMe()
  return (
    <>
      <p data-testid="name">{me?.fullName ?? 'nameless'}</p>
      <button onClick={() => update.mutate({ fullName: 'Ada Lovelace' })}>Rename</button>
    </>
  )
}

it('changes the profile', async () => {
  const { pinstack } = await registered(server.url)
  show(pinstack, <Name />)
  await act(() => pinstack.me())
  click('Rename')
  await waitFor(() => expect(textOf('name')).toBe('Ada Lovelace'))
})
