import { isPinstackError } from '@pinstack/sdk'
import { pinstackOfPage } from '../pinstack.js'
import { enter, leave, write } from './actions.js'

export default async function Page({ searchParams }) {
  const { problem } = await searchParams
  const pinstack = await pinstackOfPage()
  const me = await whoIsThere(pinstack)
  return (
    <main>
      {problem && <p role="alert">{problem}</p>}
      {me ? <Home me={me} posts={await firstPosts(pinstack, me.id)} /> : <Entrance />}
    </main>
  )
}

async function whoIsThere(pinstack) {
  try {
    return await pinstack.me()
  } catch (error) {
    if (isPinstackError(error) && error.status === 401) return null
    throw error
  }
}

async function firstPosts(pinstack, authorId) {
  for await (const page of pinstack.posts.list({ authorId }, { limit: 20 }).pages()) return page.items
  return []
}

function Entrance() {
  return (
    <form action={enter}>
      <h1>Who is there?</h1>
      <p>
        <input name="username" placeholder="Username" required /> <input name="password" type="password" placeholder="Password" required />
      </p>
      <p>
        <button name="intent" value="login">
          Sign in
        </button>
      </p>
      <p>
        <input name="email" type="email" placeholder="E-mail, for a new account" />{' '}
        <button name="intent" value="register">
          Register
        </button>
      </p>
    </form>
  )
}

function Home({ me, posts }) {
  return (
    <>
      <h1>Hello {me.username}</h1>
      <form action={leave}>
        <button>Sign out</button>
      </form>
      <h2>Your posts</h2>
      <form action={write}>
        <input name="title" placeholder="Title" required /> <input name="content" placeholder="10 characters or more" required />{' '}
        <button>Post</button>
      </form>
      <ul>
        {posts.map((post) => (
          <li key={post.id}>
            <b>{post.title}</b> {post.content}
          </li>
        ))}
      </ul>
    </>
  )
}
