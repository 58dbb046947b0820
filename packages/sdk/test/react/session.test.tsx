import './dom.ts'
import { act, screen, waitFor } from '@testing-library/react'
import { StrictMode } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { createPinstack, webStore, type SessionStore } from '../../src/client.ts'
import { PinstackProvider, useMe, useSession } from '../../src/react/react.ts'
import { record, registered, startServer, type RunningServer } from '../running-server.ts'
import { show } from './page.tsx'

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

function Greeting() {
  const { userId, isReady, signedOutReason } = useSession()
  const { data: me } = useMe()
  if (!isReady) return <p>signed out, for all one knows</p>
  if (userId === null) return <p>signed out ({signedOutReason ?? 'never in'})</p>
  return <p>hello {me?.username ?? '…'}</p>
}

const text = () => document.body.textContent
/** Whatever touches it, throws. */
const untouchable: SessionStore = {
  load: () => {
    throw new Error('a server has no storage')
  },
  save: () => {
    throw new Error('a server has no storage')
  },
}

it('shows each change of the session: in, out by oneself, out by the server', async () => {
  const { pinstack, username, password } = await registered(server.url)
  await pinstack.logout()
  show(pinstack, <Greeting />)
  await screen.findByText('signed out (never in)')
  await act(() => pinstack.login({ login: username, password }))
  await screen.findByText(`hello ${username}`)
  await act(() => pinstack.logout())
  expect(text()).toBe('signed out (logout)')

  await act(() => pinstack.login({ login: username, password }))
  await screen.findByText(`hello ${username}`)
  const elsewhere = createPinstack({ url: server.url })
  await elsewhere.login({ login: username, password })
  await elsewhere.sessions.revokeOthers()
  await act(() => pinstack.me().catch(() => undefined))
  expect(text()).toBe('signed out (ended)')
})

it('forgets what an account has loaded when its session is over', async () => {
  const { pinstack, username } = await registered(server.url)
  const { cache } = show(pinstack, <Greeting />)
  await screen.findByText(`hello ${username}`)
  expect(JSON.stringify(cache.getQueriesData({}))).toContain(username)
  await act(() => pinstack.logout())
  await waitFor(() => expect(JSON.stringify(cache.getQueriesData({}))).not.toContain(username))
})

it('follows what another tab does with the shared store', async () => {
  localStorage.clear()
  const here = createPinstack({ url: server.url, store: webStore(localStorage) })
  show(here, <Greeting />)
  await screen.findByText('signed out (never in)')
  const { username } = await registered(server.url, { store: webStore(localStorage) })
  act(() => void window.dispatchEvent(new StorageEvent('storage', { key: 'pinstack.session' }))) // as the browser tells the others
  await screen.findByText(`hello ${username}`)
})

it('renders on a server as signed out, without touching the store or the network, and hydrates without a mismatch', async () => {
  const { username, store } = await registered(server.url)
  const app = (pinstack: ReturnType<typeof createPinstack>) => (
    <StrictMode>
      <PinstackProvider client={pinstack}>
        <Greeting />
      </PinstackProvider>
    </StrictMode>
  )
  const onServer = record()
  const markup = renderToString(app(createPinstack({ url: server.url, store: untouchable, fetch: onServer.fetch })))
  expect(markup).toBe('<p>signed out, for all one knows</p>')
  expect(onServer.paths).toEqual([])

  const errors = vi.spyOn(console, 'error')
  onTestFinished(() => errors.mockRestore())
  const container = document.body.appendChild(document.createElement('div'))
  container.innerHTML = markup
  const mismatches: unknown[] = []
  const root = await act(async () =>
    hydrateRoot(container, app(createPinstack({ url: server.url, store })), { onRecoverableError: (error) => mismatches.push(error) }),
  )
  onTestFinished(() => {
    act(() => root.unmount())
    container.remove()
  })
  await screen.findByText(`hello ${username}`)
  expect(mismatches).toEqual([])
  expect(errors).not.toHaveBeenCalled()
})

it('renders on a server as who is signed in, where the server knows', async () => {
  const markup = renderToString(
    <PinstackProvider client={createPinstack({ url: server.url, store: untouchable })} initialUserId={7}>
      <Greeting />
    </PinstackProvider>,
  )
  expect(markup.replaceAll('<!-- -->', '')).toBe('<p>hello …</p>')
})

it('says what is missing to who forgets the provider', () => {
  expect(() => renderToString(<Greeting />)).toThrow('<PinstackProvider client={…}>')
})
