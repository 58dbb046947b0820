import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type RunningServer } from '../../packages/sdk/test/running-server.ts'
import { packAll } from '../pack.ts'
import { root } from '../packages.ts'
import { compile, npm, project, resolutions, run } from './project.ts'

const folder = mkdtempSync(join(tmpdir(), 'pinstack-packed-'))
const made = [folder]
const sdk = packAll(folder).find(({ name }) => name === '@pinstack/sdk')!.tarball
const compilers = ['typescript@npm:typescript@~5.5.4', 'typescript-7@npm:typescript@^7.0.2']

afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true })
})

/** On a page of its own: nobody is signed in, then somebody is, and a follow arrives. */
const program = `
  import { JSDOM } from 'jsdom'
  const { window } = new JSDOM('<div id="root"></div>', { pretendToBeVisual: true })
  for (const name of ['window', 'document', 'HTMLElement', 'HTMLIFrameElement', 'Node']) globalThis[name] = name === 'window' ? window : window[name]
  const { createElement: h, StrictMode, version } = await import('react')
  const { createRoot } = await import('react-dom/client')
  const { renderToString } = await import('react-dom/server')
  const { createPinstack } = await import('@pinstack/sdk')
  const { PinstackProvider, useLiveNotifications, useSession, useUnreadCount } = await import('@pinstack/sdk/react')

  const url = process.argv[2]
  setTimeout(() => process.exit(1), 50_000)
  const pinstack = createPinstack({ url })
  function App() {
    const { userId } = useSession()
    const { state } = useLiveNotifications()
    const { data: unread } = useUnreadCount()
    return h('p', null, userId === null ? 'nobody' : state + ', ' + unread + ' unread')
  }
  const app = h(StrictMode, null, h(PinstackProvider, { client: pinstack }, h(App)))
  console.log(version.split('.')[0], renderToString(app))
  const root = createRoot(window.document.getElementById('root'))
  root.render(app)
  const shows = async (text) => {
    while (window.document.body.textContent !== text) await new Promise((resolve) => setTimeout(resolve, 10))
    console.log(text)
  }
  await shows('nobody')
  const join = (client, username) => client.register({ username, email: username + '@example.com', password: 'correct horse' })
  const me = await join(pinstack, 'ada' + version.split('.')[0])
  await shows('live, 0 unread')
  const other = createPinstack({ url })
  await join(other, 'grace' + version.split('.')[0])
  await other.relations.follow(me.id)
  await shows('live, 1 unread')
  root.unmount()
  process.exit(0) // the cache would keep what it has for five minutes
`

describe.each(['18', '19'])('the hooks under React %s, from the package', (version) => {
  let dir: string
  let server: RunningServer
  beforeAll(async () => {
    const react = ['react', 'react-dom', '@types/react', '@types/react-dom'].map((name) => `${name}@${version}`)
    dir = project([sdk, ...react, '@tanstack/react-query@5', 'jsdom', ...compilers])
    made.push(dir)
    server = await startServer()
  })
  afterAll(() => server.close())

  test('they render on a server, sign in, and take in what happens', async () => {
    writeFileSync(join(dir, 'app.js'), program)
    const { exit, output } = run(dir, [process.execPath, 'app.js', server.url])
    expect(await exit, output()).toMatchObject({ code: 0 })
    expect(output().trim().split('\n')).toEqual([`${version} <p>nobody</p>`, 'nobody', 'live, 0 unread', 'live, 1 unread'])
  })

  test.each(compilers.flatMap((one) => resolutions.map((resolution) => [one.split('@')[0]!, resolution] as const)))(
    'their types compile with %s under %o, libraries checked too',
    (compiler, resolution) => {
      writeFileSync(
        join(dir, 'app.tsx'),
        `import { createPinstack, type PinstackError, type Post } from '@pinstack/sdk'
         import { PinstackProvider, useCreatePost, useFollow, useLiveNotifications, usePosts, useSession } from '@pinstack/sdk/react'
         const pinstack = createPinstack({ url: 'http://127.0.0.1:8080' })
         function Posts({ authorId }: { authorId: number }) {
           const { data: posts = [], error, fetchNextPage } = usePosts({ authorId }, { limit: 20 })
           const { isFollowing, follow } = useFollow(authorId)
           const createPost = useCreatePost()
           const { state } = useLiveNotifications({ onChange: (change) => change.type === 'created' && change.notification.id })
           const first: Post | undefined = posts[0]
           const why: PinstackError | null = error
           // @ts-expect-error a post has a content
           void (() => createPost.mutate({ title: 'Hello' }))
           return (
             <button disabled={isFollowing === true} onClick={() => { follow(); void fetchNextPage() }}>
               {first?.title} {why?.code} {state}
             </button>
           )
         }
         function App() {
           const { userId, signedOutReason } = useSession()
           return userId === null ? <p>{signedOutReason}</p> : <Posts authorId={userId} />
         }
         export const app = (
           <PinstackProvider client={pinstack} initialUserId={null}>
             <App />
           </PinstackProvider>
         )`,
      )
      const options = { ...resolution, jsx: 'react-jsx', lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'] }
      expect(compile(dir, compiler, ['app.tsx'], options)).toBe('')
    },
  )
})

test('examples/web installs, compiles and builds with the package, in a folder of its own', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-web-'))
  made.push(dir)
  cpSync(join(root, 'examples/web'), dir, { recursive: true, filter: (path) => !/node_modules|dist/.test(path.slice(root.length)) })
  const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  manifest.dependencies['@pinstack/sdk'] = `file:${sdk}` // as the registry would have it
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest))
  npm(dir, ['install', '--no-audit', '--no-fund', '--loglevel=error'])
  npm(dir, ['exec', '--no', '--', 'tsc', '-p', '.'])
  expect(npm(dir, ['run', 'build'])).toContain('built in')
})
