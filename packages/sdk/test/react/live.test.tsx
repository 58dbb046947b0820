import './dom.ts'
import { act, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { StrictMode } from 'react'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPinstack, type NotificationChange, type Reset } from '../../src/client.ts'
import {
  PinstackProvider,
  useLiveNotifications,
  useLivePosts,
  useLiveRelations,
  useMe,
  useNotifications,
  usePosts,
  useReadAllNotifications,
  useReadNotification,
  useRelationCounts,
  useRemoveNotification,
  useUnreadCount,
} from '../../src/react/react.ts'
import { record, registered, startServer, type RunningServer } from '../running-server.ts'
import { openStreams, show } from './page.tsx'

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

const textOf = (id: string) => screen.getByTestId(id).textContent
const click = (name: string) => fireEvent.click(screen.getByRole('button', { name }))
const streams = (topic = 'notifications') => openStreams(server.metricsUrl, topic)

function Bell({ onChange }: { onChange?: (change: NotificationChange | Reset) => void }) {
  const { state } = useLiveNotifications({ onChange })
  const { data: unread } = useUnreadCount()
  return <p data-testid="bell">{`${state}, ${unread} unread`}</p>
}

function Feed() {
  const { data: notifications = [] } = useNotifications({ limit: 20 })
  const read = useReadNotification()
  const readAll = useReadAllNotifications()
  const remove = useRemoveNotification()
  return (
    <>
      <p data-testid="feed">{notifications.map(({ type, readAt }) => (readAt ? type : `*${type}`)).join(', ')}</p>
      <button onClick={() => read.mutate(notifications[0]!.id)}>Read the first</button>
      <button onClick={() => readAll.mutate()}>Read all</button>
      <button onClick={() => remove.mutate(notifications[0]!.id)}>Remove the first</button>
    </>
  )
}

it('raises the unread count and puts a notification on top of the feed as it happens', async () => {
  const { pinstack } = await registered(server.url)
  const other = await registered(server.url)
  const { id } = await pinstack.me()
  const heard: string[] = []
  show(
    pinstack,
    <>
      <Bell onChange={(change) => heard.push(change.type)} />
      <Feed />
    </>,
  )
  await waitFor(() => expect(textOf('bell')).toBe('live, 0 unread'))
  await other.pinstack.relations.follow(id)
  await waitFor(() => expect(textOf('bell')).toBe('live, 1 unread'))
  await waitFor(() => expect(textOf('feed')).toBe('*follow_created'))
  for (const type of ['one', 'two', 'three']) await other.pinstack.notifications.send({ userId: id, type })
  await waitFor(() => expect(textOf('feed')).toBe('*three, *two, *one, *follow_created'))
  await waitFor(() => expect(textOf('bell')).toBe('live, 4 unread'))
  expect(heard).toEqual(['created', 'created', 'created', 'created'])

  click('Read the first')
  await waitFor(() => expect(textOf('feed')).toBe('three, *two, *one, *follow_created'))
  await waitFor(() => expect(textOf('bell')).toBe('live, 3 unread'))
  click('Remove the first')
  await waitFor(() => expect(textOf('feed')).toBe('*two, *one, *follow_created'))
  await other.pinstack.relations.unfollow(id) // withdraws what told of it
  await waitFor(() => expect(textOf('feed')).toBe('*two, *one'))
  await waitFor(() => expect(textOf('bell')).toBe('live, 2 unread'))
  click('Read all')
  await waitFor(() => expect(textOf('feed')).toBe('two, one'))
  await waitFor(() => expect(textOf('bell')).toBe('live, 0 unread'))
})

it('opens one stream in StrictMode, for however many components, and closes it with the last of them', async () => {
  const recorder = record()
  const { pinstack } = await registered(server.url, { fetch: recorder.fetch })
  const app = (...bells: string[]) => (
    <StrictMode>
      <PinstackProvider client={pinstack}>
        {bells.map((key) => (
          <Bell key={key} />
        ))}
      </PinstackProvider>
    </StrictMode>
  )
  const { rerender, unmount } = render(app('a', 'b', 'c'))
  await waitFor(() => expect(screen.getAllByText('live, 0 unread').length).toBe(3))
  expect(recorder.count('live.notifications')).toBe(1)
  expect(await streams()).toBe(1)
  rerender(app('d')) // another one in the place of them all
  await act(() => pinstack.me())
  expect(textOf('bell')).toBe('live, 0 unread')
  expect(await streams()).toBe(1)
  unmount()
  await expect.poll(() => streams()).toBe(0)
  expect(recorder.count('live.notifications')).toBe(1)
})

it('closes the stream when the user signs out, and opens one for who signs in', async () => {
  const { pinstack, username, password } = await registered(server.url)
  show(pinstack, <Bell />)
  await waitFor(() => expect(textOf('bell')).toBe('live, 0 unread'))
  await act(() => pinstack.logout())
  expect(textOf('bell')).toBe('closed, undefined unread')
  await expect.poll(() => streams()).toBe(0)
  await act(() => pinstack.login({ login: username, password }))
  await waitFor(() => expect(textOf('bell')).toBe('live, 0 unread'))
  expect(await streams()).toBe(1)
})

it('shows what came after the page was loaded and before the stream was there', async () => {
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  const recorder = record(async (path, send) => {
    if (path === 'live.notifications') await opened
    return send()
  })
  const { pinstack, store } = await registered(server.url, { fetch: recorder.fetch })
  const other = await registered(server.url)
  show(
    pinstack,
    <>
      <Bell />
      <Feed />
    </>,
  )
  await waitFor(() => expect(textOf('bell')).toBe('connecting, 0 unread'))
  const elsewhere = createPinstack({ url: server.url, store }).live.notifications({
    onStatus: ({ state }) => state === 'live' && void early(),
  })
  const early = async () => other.pinstack.notifications.send({ userId: (await pinstack.me()).id, type: 'early' })
  for await (const change of elsewhere) if (change.type === 'created') break // so it is over for streams that begin now
  open()
  await waitFor(() => expect(textOf('bell')).toBe('live, 1 unread'))
  await waitFor(() => expect(textOf('feed')).toBe('*early'))
})

function Popularity() {
  const { data: me } = useMe()
  return me ? <Count id={me.id} /> : null
}

function Count({ id }: { id: number }) {
  const { state } = useLiveRelations()
  const { data: counts } = useRelationCounts(id)
  return <p data-testid="count">{`${state}, ${counts?.followers} followers`}</p>
}

function Timeline() {
  const { state } = useLivePosts()
  const { data: posts = [] } = usePosts({ tag: 'News' })
  return <p data-testid="posts">{`${state}: ${posts.map(({ title }) => title).join(', ')}`}</p>
}

it('keeps the followers and the posts of those whom one follows up to date', async () => {
  const { pinstack } = await registered(server.url)
  const other = await registered(server.url)
  await pinstack.relations.follow((await other.pinstack.me()).id)
  show(
    pinstack,
    <>
      <Popularity />
      <Timeline />
    </>,
  )
  await waitFor(() => expect([textOf('count'), textOf('posts')]).toEqual(['live, 0 followers', 'live: ']))
  await other.pinstack.relations.follow((await pinstack.me()).id)
  await other.pinstack.posts.create({ title: 'Elsewhere', content: 'Of another tag.', tags: ['olds'] })
  await other.pinstack.posts.create({ title: 'Extra, extra', content: 'Read all about it.', tags: ['news'] })
  await waitFor(() => expect([textOf('count'), textOf('posts')]).toEqual(['live, 1 followers', 'live: Extra, extra']))
})
