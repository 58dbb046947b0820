import { type Admin } from './admin.js';
import { type Features } from './features.js';
import { type Live } from './live.js';
import { type Notifications } from './notifications.js';
import { type PageOptions, type Pages } from './pages.js';
import { type Posts } from './posts.js';
import type { Credentials, Me, NewUser, PasswordChange, SearchPage, SessionInfo, User, UserChanges } from './procedures.js';
import { type Relations } from './relations.js';
import { type AuthChange, type Session, type SessionStore } from './session.js';
import { type CallOptions, type Fetch } from './transport.js';
export type { Admin, AdminAudit, AdminEvents, AdminPosts, AdminSystem, AdminUsers } from './admin.js';
export type { AuditEntry, AuditFilter, AuditPage, ConfigEntry, ConsumerState, DeadEvent, DeadLetter, DeadLetterPage, EventsState, HealthReport, ListedUser, ListedUserFilter, ListedUserPage, Removal, Replayed, ReplayRange, SignedInPlace, StaffPost, StaffPostFilter, StaffPostPage, Suspension, SuspensionTerms, UserCounters, UserDetail, } from './admin-procedures.js';
export { asyncStore, type AsyncStorage } from './async-store.js';
export { cookieStore, documentCookies, headerCookies, type CookieAttributes, type CookieDocument, type Cookies, type CookieStoreOptions, } from './cookie-store.js';
export { isPinstackError, PinstackError, type ClientErrorCode, type ErrorCode, type ErrorDetails, type FieldErrors, type Issue, type ServerErrorCode, } from './errors.js';
export type { FeatureCall, Features } from './features.js';
export type { ByteStream } from './event-stream.js';
export type { Live, LiveOptions, LiveStatus, LiveStream, Reset } from './live.js';
export type { Notifications } from './notifications.js';
export type { PageOptions, Pages } from './pages.js';
export type { Posts } from './posts.js';
export type { Author, Credentials, Me, Media, NewMedia, NewNotification, NewPost, NewUser, Notification, NotificationChange, NotificationPage, PasswordChange, Post, PostChange, PostChanges, PostFilter, PostPage, Relation, RelationChange, RelationCounts, RelationPage, RelationStatus, Role, SearchPage, SessionInfo, User, UserChanges, } from './procedures.js';
export type { Relations } from './relations.js';
export { memoryStore, type Announcement, type AuthChange, type Session, type SessionStore, type SignedOutReason } from './session.js';
export type { CallOptions, Fetch, FetchResponse } from './transport.js';
export { webStore, type WebStorage } from './web-store.js';
export interface PinstackOptions {
    url: string;
    store?: SessionStore;
    fetch?: Fetch;
    timeoutMs?: number;
    retries?: number;
}
export interface Pinstack<App = unknown> {
    register(user: NewUser, options?: CallOptions): Promise<Me>;
    login(credentials: Credentials, options?: CallOptions): Promise<Me>;
    logout(options?: CallOptions): Promise<void>;
    logoutEverywhere(options?: CallOptions): Promise<void>;
    me(options?: CallOptions): Promise<Me>;
    changePassword(change: PasswordChange, options?: CallOptions): Promise<void>;
    session(): Promise<Session | null>;
    freshSession(options?: Pick<CallOptions, 'signal' | 'timeoutMs'>): Promise<Session | null>;
    onAuthChange(listener: (change: AuthChange) => void): () => void;
    readonly sessions: Sessions;
    readonly users: Users;
    readonly posts: Posts;
    readonly relations: Relations;
    readonly notifications: Notifications;
    readonly live: Live;
    readonly features: Features<App>;
    readonly admin: Admin;
}
export interface Sessions {
    list(options?: CallOptions): Promise<SessionInfo[]>;
    revoke(id: string, options?: CallOptions): Promise<boolean>;
    revokeOthers(options?: CallOptions): Promise<number>;
}
export interface Users {
    get(id: number, options?: CallOptions): Promise<User>;
    getByUsername(username: string, options?: CallOptions): Promise<User>;
    getByEmail(email: string, options?: CallOptions): Promise<User>;
    search(text: string, options?: SearchOptions): Search;
    update(changes: UserChanges, options?: CallOptions): Promise<User>;
    setAvatar(avatarUrl: string | null, options?: CallOptions): Promise<User>;
    delete(options?: CallOptions): Promise<void>;
    create(user: NewUser, options?: CallOptions): Promise<User>;
}
export type Search = Pages<SearchPage>;
export type SearchOptions = PageOptions;
export declare function createPinstack<App = unknown>({ url, store, fetch, timeoutMs, retries, }: PinstackOptions): Pinstack<App>;
