import type { Post, PostFilter } from '@pinstack/sdk'
import { useDeletePost, usePosts, useSession } from '@pinstack/sdk/react'
import { Avatar } from './avatar.tsx'
import { Icon } from './icons.tsx'
import { ago } from './time.ts'

export function Posts({ filter, empty }: { filter: PostFilter; empty: string }) {
  const { data: posts = [], isPending, error, hasNextPage, isFetchingNextPage, fetchNextPage } = usePosts(filter, { limit: 10 })
  if (error) return <p className="notice bad">{error.message}</p>
  if (isPending) return <p className="hint">Loading …</p>
  if (posts.length === 0) return <p className="hint">{empty}</p>
  return (
    <>
      {posts.map((post) => (
        <PostCard key={post.id} post={post} />
      ))}
      {hasNextPage && (
        <button className="more" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Older notes
        </button>
      )}
    </>
  )
}

function PostCard({ post }: { post: Post }) {
  const { userId } = useSession()
  const deletePost = useDeletePost()
  const { author } = post
  const isOnItsWay = post.id < 0
  return (
    <article className={isOnItsWay ? 'card post sending' : 'card post'}>
      <Avatar username={author.username} avatarUrl={author.avatarUrl} />
      <div>
        <p className="by">
          <a href={`#/user/${encodeURIComponent(author.username)}`}>
            <strong>{author.fullName ?? author.username}</strong>
          </a>
          <span>@{author.username}</span>
          <time dateTime={post.createdAt}>{isOnItsWay ? 'sending …' : ago(post.createdAt)}</time>
          {author.id === userId && !isOnItsWay && (
            <button className="quiet" title="Delete" aria-label={`Delete ${post.title}`} onClick={() => deletePost.mutate(post.id)}>
              <Icon name="trash" />
            </button>
          )}
        </p>
        <h3>{post.title}</h3>
        <p className="content">{post.content}</p>
        {post.tags.length > 0 && (
          <p className="tags">
            {post.tags.map(({ id, name }) => (
              <a key={id} href={`#/tag/${encodeURIComponent(name)}`}>
                #{name}
              </a>
            ))}
          </p>
        )}
      </div>
    </article>
  )
}
