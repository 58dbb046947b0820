import type { Author } from '@pinstack/sdk'
import { useFollow, usePosts, useUserSearch } from '@pinstack/sdk/react'
import { useDeferredValue, useState } from 'react'
import { Avatar } from './avatar.tsx'
import { FollowButton } from './follow-button.tsx'
import { Icon } from './icons.tsx'

export function People() {
  const [text, setText] = useState('')
  const active = useActivePeople()
  return (
    <>
      <h1 className="page-title">People</h1>
      <label className="search">
        <Icon name="search" />
        <input type="search" placeholder="Find people by their name" value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      {text.trim() === '' ? (
        <>
          <h2 className="subtitle">{active.length > 0 ? 'Who has pinned something lately' : 'Nobody has pinned anything yet.'}</h2>
          <PersonList people={active} />
        </>
      ) : (
        <Found text={text.trim()} />
      )}
    </>
  )
}

function Found({ text }: { text: string }) {
  const { data: people = [], isPending, hasNextPage, fetchNextPage } = useUserSearch(useDeferredValue(text), { limit: 20 })
  if (people.length === 0) return <p className="hint">{isPending ? 'Loading …' : 'Nobody of that name.'}</p>
  return (
    <>
      <PersonList people={people} />
      {hasNextPage && (
        <button className="more" onClick={() => void fetchNextPage()}>
          More people
        </button>
      )}
    </>
  )
}

type Person = Author & { bio?: string | null }

function PersonList({ people }: { people: Person[] }) {
  if (people.length === 0) return null
  return (
    <ul className="card rows">
      {people.map((person) => (
        <PersonRow key={person.id} person={person} />
      ))}
    </ul>
  )
}

export function PersonRow({ person, size }: { person: Person; size?: 'small' }) {
  const { isFollowedBy } = useFollow(person.id)
  return (
    <li>
      <Avatar username={person.username} avatarUrl={person.avatarUrl} {...(size && { size })} />
      <a href={`#/user/${encodeURIComponent(person.username)}`} className="who">
        <strong>{person.fullName ?? person.username}</strong>
        <small>{isFollowedBy ? 'follows you' : (person.bio ?? `@${person.username}`)}</small>
      </a>
      <FollowButton userId={person.id} name={person.username} />
    </li>
  )
}

/** The authors of the newest posts, each once. */
export function useActivePeople(): Author[] {
  const { data: posts = [] } = usePosts({}, { limit: 10 })
  return [...new Map(posts.filter(({ author }) => author.id > 0).map(({ author }) => [author.id, author])).values()]
}
