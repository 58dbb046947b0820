import { isPinstackError, type User } from '@pinstack/sdk'
import { useRelation, useRelationCounts, useUpdateMe, useUserByUsername } from '@pinstack/sdk/react'
import { useState, type FormEvent } from 'react'
import { Avatar, hueOf } from './avatar.tsx'
import { Field } from './field.tsx'
import { FollowButton } from './follow-button.tsx'
import { Posts } from './posts.tsx'

export function Profile({ username, ownId }: { username: string; ownId: number }) {
  const { data: user, error } = useUserByUsername(username)
  if (isPinstackError(error, 'users.not_found')) return <p className="hint">Nobody here goes by the name of {username}.</p>
  if (error) return <p className="notice bad">{error.message}</p>
  if (!user) return <p className="hint">Loading …</p>
  return (
    <>
      <ProfileCard user={user} isOwn={user.id === ownId} />
      <Posts filter={{ authorId: user.id }} empty="Nothing pinned yet." />
    </>
  )
}

function ProfileCard({ user, isOwn }: { user: User; isOwn: boolean }) {
  const { data: counts } = useRelationCounts(user.id)
  const { data: relation } = useRelation(user.id)
  const [isEditing, setIsEditing] = useState(false)
  return (
    <section className="card profile">
      <div className="cover" style={{ '--hue': hueOf(user.username) } as object} />
      <div className="profile-head">
        <Avatar username={user.username} avatarUrl={user.avatarUrl} size="large" />
        {isOwn ? (
          <button className="pill following" onClick={() => setIsEditing(!isEditing)}>
            {isEditing ? 'Cancel' : 'Edit profile'}
          </button>
        ) : (
          <FollowButton userId={user.id} name={user.username} />
        )}
      </div>
      <h1>{user.fullName ?? user.username}</h1>
      <p className="handle">
        @{user.username} {relation?.followedBy && !isOwn && <span className="chip">follows you</span>}
      </p>
      {user.bio && <p className="bio">{user.bio}</p>}
      <p className="counts">
        <span>
          <strong data-testid="followers">{counts?.followers ?? '–'}</strong> {counts?.followers === 1 ? 'follower' : 'followers'}
        </span>
        <span>
          <strong>{counts?.followees ?? '–'}</strong> following
        </span>
      </p>
      {isEditing && <Edit user={user} onDone={() => setIsEditing(false)} />}
    </section>
  )
}

function Edit({ user, onDone }: { user: User; onDone(): void }) {
  const update = useUpdateMe()
  const byField = (path: string) => update.error?.issues.find((issue) => issue.path === path)?.message

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const value = (name: string) => String(form.get(name)).trim() || null
    update.mutate({ fullName: value('fullName'), bio: value('bio'), avatarUrl: value('avatarUrl') }, { onSuccess: onDone })
  }

  return (
    <form className="edit" onSubmit={submit}>
      <Field name="fullName" label="Name" defaultValue={user.fullName ?? ''} maxLength={100} error={byField('fullName')} />
      <Field name="bio" label="About you" defaultValue={user.bio ?? ''} maxLength={500} error={byField('bio')} />
      <Field name="avatarUrl" label="Picture (address)" type="url" defaultValue={user.avatarUrl ?? ''} error={byField('avatarUrl')} />
      {update.error && update.error.issues.length === 0 && <p className="bad">{update.error.message}</p>}
      <button className="primary" disabled={update.isPending}>
        Save
      </button>
    </form>
  )
}
