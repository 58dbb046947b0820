import type { Generated } from 'kysely'
import type { MediaType } from './posts.ts'

export interface PostTables {
  /** This feature's column of the user row: how many posts are theirs. */
  user: { postCount: Generated<number> }
  post: {
    id: Generated<number>
    authorId: number
    title: string
    content: string | null
    createdAt: string
    updatedAt: string
  }
  /** Posts that staff has taken out of sight, as they were. Nothing but `restore` and the purge of their author reads them. */
  removedPost: {
    /** That of the post: it gets it back. */
    id: number
    authorId: number
    title: string
    content: string | null
    createdAt: string
    updatedAt: string
    /** JSON: `Media[]`, with their ids. */
    media: string
    /** JSON: `Tag[]`. A tag stays when no post has it. */
    tags: string
    removedAt: string
    /** Null when it was done on the host. */
    removedBy: number | null
    reason: string
  }
  postMedia: {
    id: Generated<number>
    postId: number
    position: number
    url: string
    type: MediaType
  }
  /** A tag stays when the last post that has it is gone: its id is known to clients. */
  tag: { id: Generated<number>; name: string }
  postTag: {
    postId: number
    tagId: number
    /** The post's own, so that the posts of a tag are found in the order of every list. */
    createdAt: string
  }
  /** How many posts there are, over all rows. One row would make every new post wait for every other. */
  postTotal: { shard: number; count: number }
}
