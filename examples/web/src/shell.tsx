import { useLiveNotifications, useLivePosts, useMe, usePinstack, useUnreadCount } from '@pinstack/sdk/react'
import type { Notification } from '@pinstack/sdk'
import { useEffect, useState, type ReactNode } from 'react'
import { Avatar } from './avatar.tsx'
import { Icon, Logo } from './icons.tsx'
import { NotificationText } from './notifications.tsx'
import { PersonRow, useActivePeople } from './people.tsx'

/** What is around each page: where one can go, who one is, what has just happened. */
export function Shell({ userId, page, children }: { userId: number; page: string; children: ReactNode }) {
  const pinstack = usePinstack()
  const { data: me } = useMe()
  const { data: unread = 0 } = useUnreadCount()
  const [arrived, setArrived] = useState<Notification>()
  const { state } = useLiveNotifications({ onChange: (change) => change.type === 'created' && setArrived(change.notification) })
  useLivePosts()
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Corkboard` : 'Corkboard'
  }, [unread])
  useEffect(() => {
    const timer = setTimeout(() => setArrived(undefined), 5_000)
    return () => clearTimeout(timer)
  }, [arrived])

  const own = me ? `#/user/${encodeURIComponent(me.username)}` : '#/'
  return (
    <div className="shell">
      <header className="side">
        <a href="#/" className="brand">
          <Logo />
        </a>
        <nav aria-label="Pages">
          <NavLink href="#/" icon="home" label="Home" isHere={page === 'home' || page === 'tag'} />
          <NavLink href="#/people" icon="people" label="People" isHere={page === 'people'} />
          <NavLink href="#/notifications" icon="bell" label="Notifications" isHere={page === 'notifications'}>
            {unread > 0 && (
              <span className="badge" data-testid="unread" aria-label={`${unread} unread`}>
                {unread > 99 ? '99+' : unread}
              </span>
            )}
          </NavLink>
          <NavLink href={own} icon="user" label="Profile" isHere={page === 'user'} />
        </nav>
        <div className="account">
          {me && <Avatar username={me.username} avatarUrl={me.avatarUrl} />}
          <div>
            <strong>{me?.fullName ?? me?.username}</strong>
            <span className={`light ${state}`} role="status">
              {state === 'live' ? 'Live' : state === 'connecting' ? 'Connecting' : 'Reconnecting'}
            </span>
          </div>
          <button className="quiet" title="Sign out" aria-label="Sign out" onClick={() => void pinstack.logout()}>
            <Icon name="out" />
          </button>
        </div>
      </header>
      <main>{children}</main>
      <aside>{page !== 'people' && <Active ownId={userId} />}</aside>
      {arrived && (
        <a className="toast" href="#/notifications" role="status">
          <NotificationText notification={arrived} />
        </a>
      )}
    </div>
  )
}

interface NavLinkProps {
  href: string
  icon: 'home' | 'people' | 'bell' | 'user'
  label: string
  isHere: boolean
  children?: ReactNode
}

function NavLink({ href, icon, label, isHere, children }: NavLinkProps) {
  return (
    <a href={href} aria-current={isHere ? 'page' : undefined}>
      <span className="nav-icon">
        <Icon name={icon} />
        {children}
      </span>
      <span className="nav-label">{label}</span>
    </a>
  )
}

function Active({ ownId }: { ownId: number }) {
  const people = useActivePeople().filter(({ id }) => id !== ownId)
  if (people.length === 0) return null
  return (
    <section className="card">
      <h2>Pinned lately</h2>
      <ul className="rows">
        {people.slice(0, 5).map((person) => (
          <PersonRow key={person.id} person={person} size="small" />
        ))}
      </ul>
    </section>
  )
}
