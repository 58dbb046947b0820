import { useSession } from '@pinstack/sdk/react'
import { Home } from './home.tsx'
import { Notifications } from './notifications.tsx'
import { People } from './people.tsx'
import { Profile } from './profile.tsx'
import { useRoute } from './route.ts'
import { Shell } from './shell.tsx'
import { SignIn } from './sign-in.tsx'

export function App() {
  const { userId, isReady, signedOutReason } = useSession()
  const [page, value = ''] = useRoute()
  if (!isReady) return null
  if (userId === null) return <SignIn notice={signedOutReason === 'ended' ? 'Your session has ended. Please sign in again.' : undefined} />
  return (
    <Shell userId={userId} page={page ?? 'home'}>
      {page === 'people' ? (
        <People />
      ) : page === 'notifications' ? (
        <Notifications />
      ) : page === 'user' ? (
        <Profile key={value} username={value} ownId={userId} />
      ) : (
        <Home tag={page === 'tag' ? value : undefined} />
      )}
    </Shell>
  )
}
