import { adminProcedureKinds, type AdminProcedures } from './admin-procedures.ts'

/** What the server signs in with. */
export interface Tokens {
  accessToken: string
  refreshToken: string
  accessExpiresAt: string
}

/** What an account may do beside what all may. */
export type Role = 'user' | 'moderator' | 'admin'

/** An account, as others see it. */
export interface User {
  /** Ascending: newer accounts have higher ids. */
  id: number
  /** In the letter case that was chosen; no other account has it in any. */
  username: string
  /** Only in one's own account, and for admins. */
  email?: string
  /** Null when none is given. */
  fullName: string | null
  /** Null when none is given. */
  bio: string | null
  /** Null when there is no picture. */
  avatarUrl: string | null
  /** ISO 8601, UTC, with milliseconds. */
  createdAt: string
  /** When the profile last changed; `createdAt` before that. */
  updatedAt: string
}

/** The account that is signed in, as the procedure says it. */
interface OwnUser extends User {
  /** What the account may do beside what all may. */
  role: Role
}

/** The account that is signed in. */
export interface Me extends OwnUser {
  email: string
}

/** A place where an account is signed in. */
export interface SessionInfo {
  /** For `sessions.revoke`. */
  id: string
  /** The user agent that signed in. */
  device: string
  /** The network address that signed in. */
  address: string
  /** When it was signed in. */
  createdAt: string
  /** When it was last renewed. */
  lastUsedAt: string
  /** Whether it is the session that asks. */
  current: boolean
}

/** For `register` and `users.create`. */
export interface NewUser {
  /** 3 to 32 letters, digits, `_`, `.`, `-`. Unique whatever the case. */
  username: string
  /** Unique whatever the case. Only the account itself and admins see it. */
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

/** What one signs in with. */
export interface Credentials {
  /** Username or e-mail address. */
  login: string
  /** As it was chosen. */
  password: string
}

/** For `changePassword`. */
export interface PasswordChange {
  /** As it is. */
  oldPassword: string
  /** 8 to 128 characters. */
  newPassword: string
}

/** What is not given stays as it is; null takes it away. */
export interface UserChanges {
  /** 3 to 32 letters, digits, `_`, `.`, `-`. Unique whatever the case. */
  username?: string | undefined
  /** Unique whatever the case. */
  email?: string | undefined
  /** At most 100 characters. */
  fullName?: string | null | undefined
  /** At most 500 characters. */
  bio?: string | null | undefined
  /** `http` or `https`. */
  avatarUrl?: string | null | undefined
}

/** Of accounts, by ascending id. */
export interface SearchPage {
  /** As many as were asked for, fewer on the last page. */
  items: User[]
  /** Of all pages. */
  total: number
  /** Where the next page begins; null on the last. */
  nextCursor: number | null
}

/** A picture or film for a post, by its address. */
export interface NewMedia {
  /** `http` or `https`. */
  url: string
  /** How to show it. */
  type: 'image' | 'video'
  /** 1 to 9, in ascending order of which media are shown. */
  position: number
}

/** A picture or film in a post. */
export interface Media extends NewMedia {
  /** Of this medium, unique in the server. */
  id: number
}

/** For `posts.create`. */
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
  /** 3 to 255 characters. */
  title?: string | undefined
  /** Null takes it away. */
  content?: string | null | undefined
  /** All of them from now on. */
  tags?: string[] | undefined
  /** All of them from now on. */
  media?: NewMedia[] | undefined
}

/** An account, as far as its posts and follows show it. */
export interface Author {
  /** 0 for an account that is gone while its posts are not removed yet. */
  id: number
  /** `unknown` for an account that is gone. */
  username: string
  /** As the account gives it. */
  fullName: string | null
  /** Of the account's picture. */
  avatarUrl: string | null
}

/** What a user has written, with all that it shows. */
export interface Post {
  /** Ascending: newer ones have higher ids. */
  id: number
  /** As its author gave it. */
  title: string
  /** Null when its author took it away. */
  content: string | null
  /** Who wrote it, as that account is now. */
  author: Author
  /** ISO 8601, UTC, with milliseconds. */
  createdAt: string
  /** When its author last changed it; `createdAt` before that. */
  updatedAt: string
  /** By ascending position. */
  media: Media[]
  /** Unique in the server: the same name has the same id everywhere. */
  tags: { id: number; name: string }[]
}

/** Which posts to list. Together they narrow. */
export interface PostFilter {
  /** Of one author. */
  authorId?: number | undefined
  /** With this tag. */
  tag?: string | undefined
  /** RFC 3339, as `Date.toISOString()` gives it. The time itself is left out. */
  createdAfter?: string | undefined
  /** RFC 3339, as `Date.toISOString()` gives it. The time itself is left out. */
  createdBefore?: string | undefined
}

/** Of posts, the newest first. */
export interface PostPage {
  /** As many as were asked for, fewer on the last page. */
  items: Post[]
  /** Where the next page begins; null on the last. */
  nextCursor: string | null
}

/** A follow, from the side of the other one. */
export interface Relation {
  /** Of the follow. */
  id: number
  /** Of the other one. */
  userId: number
  /** Of the other one. */
  username: string
  /** Of the other one's picture. */
  avatarUrl: string | null
  /** When the follow began. */
  createdAt: string
}

/** Of followers or followees, the newest follow first. */
export interface RelationPage {
  /** As many as were asked for, fewer on the last page. */
  items: Relation[]
  /** Of all pages. */
  total: number
  /** Where the next page begins; null on the last. */
  nextCursor: number | null
}

/** How one stands to a user. */
export interface RelationStatus {
  /** That user. */
  userId: number
  /** One follows them. */
  following: boolean
  /** They follow one. */
  followedBy: boolean
}

/** How many there are on each side of a user. */
export interface RelationCounts {
  /** Who follow that user. */
  followers: number
  /** Whom that user follows. */
  followees: number
}

/** For `notifications.send`. */
export interface NewNotification {
  /** Who gets it. */
  userId: number
  /** Any text of up to 255 characters. */
  type: string
  /** Any JSON of up to 16 KiB. */
  payload?: unknown
}

/** What someone was told. */
export interface Notification {
  /** Ascending: newer ones have higher ids. */
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
  /** ISO 8601, UTC, with milliseconds. */
  createdAt: string
  /** Null while it is unread. */
  readAt: string | null
}

/** Of one's feed, the newest first. */
export interface NotificationPage {
  /** As many as were asked for, fewer on the last page. */
  items: Notification[]
  /** Of all pages. */
  total: number
  /** Where the next page begins; null on the last. */
  nextCursor: number | null
}

/** What a stream says between its items: it is live from here on, or what was missed is no longer kept. */
export type Mark = { type: 'ready' } | { type: 'reset' }

/** What a stream tells of one's feed. */
export type NotificationChange =
  | { type: 'created'; notification: Notification }
  | { type: 'read'; notificationId: number }
  /** Removed by its recipient, or withdrawn with what it told of. */
  | { type: 'removed'; notificationId: number }

/** What a stream tells of one's followers. */
export interface RelationChange {
  /** Whether they follow one from now on, or no longer. */
  type: 'followed' | 'unfollowed'
  /** Who it is. */
  userId: number
  /** Null once the account is gone. */
  user: Author | null
  /** ISO 8601, UTC, with milliseconds. */
  at: string
}

/** What a stream tells of the posts of those whom one follows. */
export interface PostChange {
  /** Always `created`. */
  type: 'created'
  /** With all that it shows. */
  post: Post
}

export interface Query<Input, Output> {
  kind: 'query'
  input: Input
  output: Output
}
export interface Mutation<Input, Output> {
  kind: 'mutation'
  input: Input
  output: Output
}

export interface PageInput {
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
export interface Procedures extends AdminProcedures {
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
  ...adminProcedureKinds,
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
