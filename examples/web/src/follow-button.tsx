import { useFollow } from '@pinstack/sdk/react'

export function FollowButton({ userId, name }: { userId: number; name: string }) {
  const { isFollowing, follow, unfollow, error } = useFollow(userId)
  if (isFollowing === undefined) return null
  return (
    <button
      className={isFollowing ? 'pill following' : 'pill'}
      aria-pressed={isFollowing}
      aria-label={`Follow ${name}`}
      title={error?.message}
      onClick={isFollowing ? unfollow : follow}
    >
      {isFollowing ? 'Following' : 'Follow'}
    </button>
  )
}
