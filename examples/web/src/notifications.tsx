import type { Notification } from '@pinstack/sdk'
import { useNotifications, useReadAllNotifications, useReadNotification, useUnreadCount, useUser } from '@pinstack/sdk/react'
import { Avatar } from './avatar.tsx'
import { ago } from './time.ts'

export function Notifications() {
  const { data: notifications = [], isPending, hasNextPage, fetchNextPage } = useNotifications({ limit: 20 })
  const { data: unread = 0 } = useUnreadCount()
  const read = useReadNotification()
  const readAll = useReadAllNotifications()
  return (
    <>
      <div className="page-head">
        <h1 className="page-title">Notifications</h1>
        {unread > 0 && (
          <button className="link" onClick={() => readAll.mutate()}>
            Mark all as read
          </button>
        )}
      </div>
      {notifications.length > 0 ? (
        <ul className="card rows" data-testid="notifications">
          {notifications.map((notification) => (
            <li
              key={notification.id}
              className={notification.readAt === null ? 'unread' : ''}
              onClick={() => notification.readAt === null && read.mutate(notification.id)}
            >
              <NotificationText notification={notification} />
              <time dateTime={notification.createdAt}>{ago(notification.createdAt)}</time>
            </li>
          ))}
        </ul>
      ) : (
        <p className="hint">{isPending ? 'Loading …' : 'All quiet. When somebody follows you, it shows here at once.'}</p>
      )}
      {hasNextPage && (
        <button className="more" onClick={() => void fetchNextPage()}>
          Earlier ones
        </button>
      )}
    </>
  )
}

/** What a notification says. Only of those of the system it is known what they hold: anybody may send the others. */
export function NotificationText({ notification: { origin, type, payload, senderId } }: { notification: Notification }) {
  if (origin === 'system' && type === 'follow_created')
    return <Sentence userId={(payload as { follower_id: number }).follower_id} words="follows you now" />
  return <Sentence userId={senderId} words={typeof payload === 'string' ? payload : `sent you “${type}”`} />
}

function Sentence({ userId, words }: { userId: number | null; words: string }) {
  return userId === null ? <span className="who">{words}</span> : <SentenceOf userId={userId} words={words} />
}

function SentenceOf({ userId, words }: { userId: number; words: string }) {
  const { data: user } = useUser(userId)
  return (
    <>
      <Avatar username={user?.username ?? '?'} avatarUrl={user?.avatarUrl ?? null} size="small" />
      <span className="who">
        <strong>{user?.fullName ?? user?.username ?? 'Somebody'}</strong> <span>{words}</span>
      </span>
    </>
  )
}
