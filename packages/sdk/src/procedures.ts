/** What the server signs in with. */
export interface Tokens {
  accessToken: string
  refreshToken: string
  accessExpiresAt: string
}

export type Role = 'user' | 'moderator' | 'admin'

export interface User {
  id: number
  username: string
  /** Only in one's own account, and for admins. */
  email?: string
  fullName: string | null
  bio: string | null
  avatarUrl: string | null
  /** ISO 8601, UTC, with milliseconds. */
  createdAt: string
  updatedAt: string
}

/** The account that is signed in, as the procedure says it. */
interface OwnUser extends User {
  role: Role
}

/** The account that is signed in. */
export interface Me extends OwnUser {
  email: string
}

/** A place where an account is signed in. */
export interface SessionInfo {
  id: string
  /** The user agent that signed in. */
  device: string
  address: string
  createdAt: string
  lastUsedAt: string
  /** Whether it is the session that asks. */
  current: boolean
}

export interface NewUser {
  /** 3 to 32 letters, digits, `_`, `.`, `-`. Unique whatever the case. */
  username: string
  email: string
  /** 8 to 128 characters. */
  password: string
  /** At most 100 characters. */
  fullName?: string | undefined
  /** At most 500 characters. */
  bio?: string | undefined
  /** `http` or `https`. */
  avatarUrl?: string | undefined
}

export interface Credentials {
  /** Username or e-mail address. */
  login: string
  password: string
}

export interface PasswordChange {
  oldPassword: string
  newPassword: string
}

/** What is not given stays as it is; null takes it away. */
export interface UserChanges {
  username?: string | undefined
  email?: string | undefined
  fullName?: string | null | undefined
  bio?: string | null | undefined
  avatarUrl?: string | null | undefined
}

export interface SearchPage {
  items: User[]
  /** Of all pages. */
  total: number
  nextCursor: number | null
}

export interface NewMedia {
  /** `http` or `https`. */
  url: string
  type: 'image' | 'video'
  /** 1 to 9, in ascending order of which media are shown. */
  position: number
}

export interface Media extends NewMedia {
  id: number
}

export interface NewPost {
  /** 3 to 255 characters. */
  title: string
  /** 10 to 100,000 characters. */
  content: string
  /** Up to 50, of 2 to 50 characters each. */
  tags?: string[] | undefined
  /** Up to 9. */
  media?: NewMedia[] | undefined
}

/** What is not given stays as it is. Lists replace those that were there. */
export interface PostChanges {
  title?: string | undefined
  /** Null takes it away. */
  content?: string | null | undefined
  tags?: string[] | undefined
  media?: NewMedia[] | undefined
}

export interface Author {
  /** 0 for an account that is gone while its posts are not removed yet. */
  id: number
  username: string
  fullName: string | null
  avatarUrl: string | null
}

export interface Post {
  id: number
  title: string
  content: string | null
  author: Author
  createdAt: string
  updatedAt: string
  media: Media[]
  tags: { id: number; name: string }[]
}

export interface PostFilter {
  authorId?: number | undefined
  tag?: string | undefined
  /** RFC 3339, as `Date.toISOString()` gives it. The time itself is left out. */
  createdAfter?: string | undefined
  createdBefore?: string | undefined
}

export interface PostPage {
  items: Post[]
  nextCursor: string | null
}

/** A follow, from the side of the other one. */
export interface Relation {
  /** Of the follow. */
  id: number
  userId: number
  username: string
  avatarUrl: string | null
  /** When the follow began. */
  createdAt: string
}

export interface RelationPage {
  items: Relation[]
  /** Of all pages. */
  total: number
  nextCursor: number | null
}

export interface RelationStatus {
  userId: number
  /** One follows them. */
  following: boolean
  /** They follow one. */
  followedBy: boolean
}

export interface RelationCounts {
  followers: number
  followees: number
}

export interface NewNotification {
  userId: number
  /** Any text of up to 255 characters. */
  type: string
  /** Any JSON of up to 16 KiB. */
  payload?: unknown
}

export interface Notification {
  id: number
  /** Who gets it. */
  userId: number
  /** `follow_created`, or whatever text a user has sent. Only with `origin` does it say what happened. */
  type: string
  /** `system` for what the server reports; nobody can send one of those. */
  origin: 'system' | 'user'
  /** Who sent it; null when the system did. */
  senderId: number | null
  /** Absent when there is none; null is a payload, too. */
  payload?: unknown
  createdAt: string
  /** Null while it is unread. */
  readAt: string | null
}

export interface NotificationPage {
  items: Notification[]
  /** Of all pages. */
  total: number
  nextCursor: number | null
}

/** What a stream says between its items: it is live from here on, or what was missed is no longer kept. */
export type Mark = { type: 'ready' } | { type: 'reset' }

export type NotificationChange =
  | { type: 'created'; notification: Notification }
  | { type: 'read'; notificationId: number }
  /** Removed by its recipient, or withdrawn with what it told of. */
  | { type: 'removed'; notificationId: number }

export interface RelationChange {
  /** Whether they follow one from now on, or no longer. */
  type: 'followed' | 'unfollowed'
  userId: number
  /** Null once the account is gone. */
  user: Author | null
  at: string
}

export interface PostChange {
  type: 'created'
  post: Post
}

interface Query<Input, Output> {
  kind: 'query'
  input: Input
  output: Output
}
interface Mutation<Input, Output> {
  kind: 'mutation'
  input: Input
  output: Output
}

interface PageInput {
  limit?: number | undefined
  cursor?: number | undefined
}

interface RelationPageInput extends PageInput {
  userId: number
}

interface PostPageInput extends PostFilter {
  limit?: number | undefined
  cursor?: string | undefined
}

interface PostUpdate extends PostChanges {
  id: number
}

/** The streams that the SDK opens, with what each of their events holds. Held equal to the router, like `Procedures`. */
export interface Subscriptions {
  'live.notifications': { id: string; data: NotificationChange | Mark }
  'live.unreadCount': { count: number }
  'live.relations': { id: string; data: RelationChange | Mark }
  'live.posts': { id: string; data: PostChange | Mark }
}

/** The calls of the API that the SDK makes. A test holds them equal to what the server's router says. */
export interface Procedures {
  'auth.register': Mutation<NewUser, Tokens>
  'auth.login': Mutation<Credentials, Tokens>
  'auth.refresh': Mutation<{ refreshToken: string }, Tokens>
  'auth.logout': Mutation<{ refreshToken: string }, void>
  'auth.changePassword': Mutation<PasswordChange, Tokens>
  'auth.me': Query<void, OwnUser>
  'auth.sessions.list': Query<void, SessionInfo[]>
  'auth.sessions.revoke': Mutation<{ id: string }, { revoked: boolean }>
  'auth.sessions.revokeOthers': Mutation<void, { revoked: number }>
  'users.create': Mutation<NewUser, User>
  'users.byId': Query<{ id: number }, User>
  'users.byUsername': Query<{ username: string }, User>
  'users.byEmail': Query<{ email: string }, User>
  'users.search': Query<{ query: string; limit?: number | undefined; cursor?: number | undefined }, SearchPage>
  'users.update': Mutation<UserChanges, User>
  'users.setAvatar': Mutation<{ avatarUrl: string | null }, User>
  'users.delete': Mutation<void, void>
  'posts.create': Mutation<NewPost, Post>
  'posts.byId': Query<{ id: number }, Post>
  'posts.list': Query<PostPageInput, PostPage>
  'posts.update': Mutation<PostUpdate, Post>
  'posts.delete': Mutation<{ id: number }, void>
  'relations.follow': Mutation<{ userId: number }, { created: boolean }>
  'relations.unfollow': Mutation<{ userId: number }, { removed: boolean }>
  'relations.followers': Query<RelationPageInput, RelationPage>
  'relations.followees': Query<RelationPageInput, RelationPage>
  'relations.status': Query<{ userIds: number[] }, RelationStatus[]>
  'relations.counts': Query<{ userId: number }, RelationCounts>
  'notifications.send': Mutation<NewNotification, { id: number }>
  'notifications.feed': Query<PageInput, NotificationPage>
  'notifications.unreadCount': Query<void, { count: number }>
  'notifications.byId': Query<{ id: number }, Notification>
  'notifications.read': Mutation<{ id: number }, { changed: boolean }>
  'notifications.readAll': Mutation<void, { changed: number }>
  'notifications.remove': Mutation<{ id: number }, { removed: boolean }>
}

export const procedureKinds: { readonly [Path in keyof Procedures]: Procedures[Path]['kind'] } = {
  'auth.register': 'mutation',
  'auth.login': 'mutation',
  'auth.refresh': 'mutation',
  'auth.logout': 'mutation',
  'auth.changePassword': 'mutation',
  'auth.me': 'query',
  'auth.sessions.list': 'query',
  'auth.sessions.revoke': 'mutation',
  'auth.sessions.revokeOthers': 'mutation',
  'users.create': 'mutation',
  'users.byId': 'query',
  'users.byUsername': 'query',
  'users.byEmail': 'query',
  'users.search': 'query',
  'users.update': 'mutation',
  'users.setAvatar': 'mutation',
  'users.delete': 'mutation',
  'posts.create': 'mutation',
  'posts.byId': 'query',
  'posts.list': 'query',
  'posts.update': 'mutation',
  'posts.delete': 'mutation',
  'relations.follow': 'mutation',
  'relations.unfollow': 'mutation',
  'relations.followers': 'query',
  'relations.followees': 'query',
  'relations.status': 'query',
  'relations.counts': 'query',
  'notifications.send': 'mutation',
  'notifications.feed': 'query',
  'notifications.unreadCount': 'query',
  'notifications.byId': 'query',
  'notifications.read': 'mutation',
  'notifications.readAll': 'mutation',
  'notifications.remove': 'mutation',
}
