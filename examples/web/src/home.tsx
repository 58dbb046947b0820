import { useCreatePost, useMe } from '@pinstack/sdk/react'
import { useState, type FormEvent } from 'react'
import { Avatar } from './avatar.tsx'
import { Posts } from './posts.tsx'

export function Home({ tag }: { tag: string | undefined }) {
  return (
    <>
      <h1 className="page-title">{tag === undefined ? 'Home' : `#${tag}`}</h1>
      {tag === undefined ? (
        <Composer />
      ) : (
        <p className="hint">
          All notes with this tag. <a href="#/">Back to all</a>
        </p>
      )}
      <Posts filter={tag === undefined ? {} : { tag }} empty="Nothing is pinned here yet. Be the first." />
    </>
  )
}

const empty = { title: '', content: '', tags: '' }

function Composer() {
  const { data: me } = useMe()
  const createPost = useCreatePost()
  const [draft, setDraft] = useState(empty)
  const edit = (name: keyof typeof empty) => (event: { target: { value: string } }) => setDraft({ ...draft, [name]: event.target.value })

  function submit(event: FormEvent) {
    event.preventDefault()
    const tags = draft.tags
      .split(/[\s,#]+/)
      .filter(Boolean)
      .map((one) => one.toLowerCase())
    createPost.mutate({ title: draft.title, content: draft.content, tags }, { onError: () => setDraft(draft) }) // nothing typed is lost
    setDraft(empty)
  }

  const { error } = createPost
  return (
    <form className="card composer" onSubmit={submit}>
      <Avatar username={me?.username ?? ' '} avatarUrl={me?.avatarUrl ?? null} />
      <div>
        <input
          aria-label="Title"
          placeholder="A title"
          value={draft.title}
          onChange={edit('title')}
          required
          minLength={3}
          maxLength={255}
        />
        <textarea
          aria-label="Note"
          placeholder="What is worth pinning?"
          rows={2}
          value={draft.content}
          onChange={edit('content')}
          required
          minLength={10}
        />
        {error && <p className="bad">{error.issues[0]?.message ?? error.message}</p>}
        <div className="composer-foot">
          <input aria-label="Tags" placeholder="#tags, #like #these" value={draft.tags} onChange={edit('tags')} />
          <button className="primary">Pin it</button>
        </div>
      </div>
    </form>
  )
}
