import { type AdminProcedures } from './admin-procedures.js';
export interface Tokens {
    accessToken: string;
    refreshToken: string;
    accessExpiresAt: string;
}
export type Role = 'user' | 'moderator' | 'admin';
export interface User {
    id: number;
    username: string;
    email?: string;
    fullName: string | null;
    bio: string | null;
    avatarUrl: string | null;
    createdAt: string;
    updatedAt: string;
}
interface OwnUser extends User {
    role: Role;
}
export interface Me extends OwnUser {
    email: string;
}
export interface SessionInfo {
    id: string;
    device: string;
    address: string;
    createdAt: string;
    lastUsedAt: string;
    current: boolean;
}
export interface NewUser {
    username: string;
    email: string;
    password: string;
    fullName?: string | undefined;
    bio?: string | undefined;
    avatarUrl?: string | undefined;
}
export interface Credentials {
    login: string;
    password: string;
}
export interface PasswordChange {
    oldPassword: string;
    newPassword: string;
}
export interface UserChanges {
    username?: string | undefined;
    email?: string | undefined;
    fullName?: string | null | undefined;
    bio?: string | null | undefined;
    avatarUrl?: string | null | undefined;
}
export interface SearchPage {
    items: User[];
    total: number;
    nextCursor: number | null;
}
export interface NewMedia {
    url: string;
    type: 'image' | 'video';
    position: number;
}
export interface Media extends NewMedia {
    id: number;
}
export interface NewPost {
    title: string;
    content: string;
    tags?: string[] | undefined;
    media?: NewMedia[] | undefined;
}
export interface PostChanges {
    title?: string | undefined;
    content?: string | null | undefined;
    tags?: string[] | undefined;
    media?: NewMedia[] | undefined;
}
export interface Author {
    id: number;
    username: string;
    fullName: string | null;
    avatarUrl: string | null;
}
export interface Post {
    id: number;
    title: string;
    content: string | null;
    author: Author;
    createdAt: string;
    updatedAt: string;
    media: Media[];
    tags: {
        id: number;
        name: string;
    }[];
}
export interface PostFilter {
    authorId?: number | undefined;
    tag?: string | undefined;
    createdAfter?: string | undefined;
    createdBefore?: string | undefined;
}
export interface PostPage {
    items: Post[];
    nextCursor: string | null;
}
export interface Relation {
    id: number;
    userId: number;
    username: string;
    avatarUrl: string | null;
    createdAt: string;
}
export interface RelationPage {
    items: Relation[];
    total: number;
    nextCursor: number | null;
}
export interface RelationStatus {
    userId: number;
    following: boolean;
    followedBy: boolean;
}
export interface RelationCounts {
    followers: number;
    followees: number;
}
export interface NewNotification {
    userId: number;
    type: string;
    payload?: unknown;
}
export interface Notification {
    id: number;
    userId: number;
    type: string;
    origin: 'system' | 'user';
    senderId: number | null;
    payload?: unknown;
    createdAt: string;
    readAt: string | null;
}
export interface NotificationPage {
    items: Notification[];
    total: number;
    nextCursor: number | null;
}
export type Mark = {
    type: 'ready';
} | {
    type: 'reset';
};
export type NotificationChange = {
    type: 'created';
    notification: Notification;
} | {
    type: 'read';
    notificationId: number;
} | {
    type: 'removed';
    notificationId: number;
};
export interface RelationChange {
    type: 'followed' | 'unfollowed';
    userId: number;
    user: Author | null;
    at: string;
}
export interface PostChange {
    type: 'created';
    post: Post;
}
export interface Query<Input, Output> {
    kind: 'query';
    input: Input;
    output: Output;
}
export interface Mutation<Input, Output> {
    kind: 'mutation';
    input: Input;
    output: Output;
}
export interface PageInput {
    limit?: number | undefined;
    cursor?: number | undefined;
}
interface RelationPageInput extends PageInput {
    userId: number;
}
interface PostPageInput extends PostFilter {
    limit?: number | undefined;
    cursor?: string | undefined;
}
interface PostUpdate extends PostChanges {
    id: number;
}
export interface Subscriptions {
    'live.notifications': {
        id: string;
        data: NotificationChange | Mark;
    };
    'live.unreadCount': {
        count: number;
    };
    'live.relations': {
        id: string;
        data: RelationChange | Mark;
    };
    'live.posts': {
        id: string;
        data: PostChange | Mark;
    };
}
export interface Procedures extends AdminProcedures {
    'auth.register': Mutation<NewUser, Tokens>;
    'auth.login': Mutation<Credentials, Tokens>;
    'auth.refresh': Mutation<{
        refreshToken: string;
    }, Tokens>;
    'auth.logout': Mutation<{
        refreshToken: string;
    }, void>;
    'auth.changePassword': Mutation<PasswordChange, Tokens>;
    'auth.me': Query<void, OwnUser>;
    'auth.sessions.list': Query<void, SessionInfo[]>;
    'auth.sessions.revoke': Mutation<{
        id: string;
    }, {
        revoked: boolean;
    }>;
    'auth.sessions.revokeOthers': Mutation<void, {
        revoked: number;
    }>;
    'users.create': Mutation<NewUser, User>;
    'users.byId': Query<{
        id: number;
    }, User>;
    'users.byUsername': Query<{
        username: string;
    }, User>;
    'users.byEmail': Query<{
        email: string;
    }, User>;
    'users.search': Query<{
        query: string;
        limit?: number | undefined;
        cursor?: number | undefined;
    }, SearchPage>;
    'users.update': Mutation<UserChanges, User>;
    'users.setAvatar': Mutation<{
        avatarUrl: string | null;
    }, User>;
    'users.delete': Mutation<void, void>;
    'posts.create': Mutation<NewPost, Post>;
    'posts.byId': Query<{
        id: number;
    }, Post>;
    'posts.list': Query<PostPageInput, PostPage>;
    'posts.update': Mutation<PostUpdate, Post>;
    'posts.delete': Mutation<{
        id: number;
    }, void>;
    'relations.follow': Mutation<{
        userId: number;
    }, {
        created: boolean;
    }>;
    'relations.unfollow': Mutation<{
        userId: number;
    }, {
        removed: boolean;
    }>;
    'relations.followers': Query<RelationPageInput, RelationPage>;
    'relations.followees': Query<RelationPageInput, RelationPage>;
    'relations.status': Query<{
        userIds: number[];
    }, RelationStatus[]>;
    'relations.counts': Query<{
        userId: number;
    }, RelationCounts>;
    'notifications.send': Mutation<NewNotification, {
        id: number;
    }>;
    'notifications.feed': Query<PageInput, NotificationPage>;
    'notifications.unreadCount': Query<void, {
        count: number;
    }>;
    'notifications.byId': Query<{
        id: number;
    }, Notification>;
    'notifications.read': Mutation<{
        id: number;
    }, {
        changed: boolean;
    }>;
    'notifications.readAll': Mutation<void, {
        changed: number;
    }>;
    'notifications.remove': Mutation<{
        id: number;
    }, {
        removed: boolean;
    }>;
}
export declare const procedureKinds: {
    readonly [Path in keyof Procedures]: Procedures[Path]['kind'];
};
export {};
