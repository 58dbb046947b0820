import type { Mutation, PageInput, Post, Query, Role } from './procedures.js';
export interface Suspension {
    at: string;
    until: string | null;
    reason: string;
}
export interface ListedUser {
    id: number;
    username: string;
    email: string;
    fullName: string | null;
    role: Role;
    createdAt: string;
    suspension: Suspension | null;
}
export interface UserCounters {
    posts: number;
    removedPosts: number;
    followers: number;
    followees: number;
    notifications: number;
    unread: number;
}
export interface SignedInPlace {
    id: string;
    device: string;
    address: string;
    createdAt: string;
    lastUsedAt: string;
}
export interface UserDetail extends ListedUser {
    bio: string | null;
    avatarUrl: string | null;
    updatedAt: string;
    counters: UserCounters;
    sessions: SignedInPlace[];
}
export interface ListedUserPage {
    items: ListedUser[];
    nextCursor: number | null;
}
export interface ListedUserFilter {
    query?: string | undefined;
    kind?: 'all' | 'staff' | 'suspended' | undefined;
}
export interface SuspensionTerms {
    reason: string;
    until?: string | null | undefined;
}
export interface Removal {
    at: string;
    by: number | null;
    reason: string;
}
export interface StaffPost extends Post {
    removal: Removal | null;
}
export interface StaffPostPage {
    items: StaffPost[];
    nextCursor: string | null;
}
export interface StaffPostFilter {
    query?: string | undefined;
    authorId?: number | undefined;
    state?: 'visible' | 'removed' | undefined;
}
export interface AuditEntry {
    id: number;
    actorId: number | null;
    actor: 'user' | 'host';
    action: string;
    targetType: string;
    targetId: string;
    detail: Record<string, string | number | null> | null;
    address: string | null;
    createdAt: string;
}
export interface AuditPage {
    items: AuditEntry[];
    nextCursor: number | null;
}
export interface AuditFilter {
    actorId?: number | undefined;
    actor?: 'user' | 'host' | undefined;
    action?: string | undefined;
    targetType?: string | undefined;
    targetId?: string | undefined;
    since?: string | undefined;
    until?: string | undefined;
}
export interface ConsumerState {
    name: string;
    types: string[];
    lag: number | null;
    retrying: number;
    dead: number;
}
export interface EventsState {
    outbox: {
        depth: number;
        lagSeconds: number;
        lastSeq: number;
    };
    consumers: ConsumerState[];
}
export interface DeadEvent {
    id: string;
    type: string;
    key: number;
    payload?: unknown;
    createdAt: string;
    traceparent?: string | null;
}
export interface DeadLetter {
    id: number;
    consumer: string;
    event: DeadEvent;
    attempts: number;
    error: string;
    nextAttemptAt: string | null;
}
export interface DeadLetterPage {
    items: DeadLetter[];
    nextCursor: number | null;
}
export interface Replayed {
    replayed: number;
    nextCursor: number | null;
    remaining: number;
}
export interface HealthReport {
    status: 'up' | 'degraded' | 'down' | 'closing';
    version: string;
    uptime_seconds: number;
    parts: Record<string, Record<string, string | number | null>>;
}
export interface ConfigEntry {
    key: string;
    value: string | number | boolean | string[] | null;
    source: string;
}
export interface ReplayRange {
    consumer?: string | undefined;
    cursor?: number | undefined;
    limit?: number | undefined;
}
interface ById {
    id: number;
}
interface UserQuery extends PageInput, ListedUserFilter {
}
interface PostQuery extends StaffPostFilter {
    limit?: number | undefined;
    cursor?: string | undefined;
}
interface AuditQuery extends PageInput, AuditFilter {
}
interface Suspend extends SuspensionTerms {
    id: number;
}
interface DeadQuery extends PageInput {
    consumer?: string | undefined;
}
type Changed = {
    changed: boolean;
};
export interface AdminProcedures {
    'admin.users.search': Query<UserQuery, ListedUserPage>;
    'admin.users.byId': Query<ById, UserDetail>;
    'admin.users.suspend': Mutation<Suspend, Changed>;
    'admin.users.restore': Mutation<ById, Changed>;
    'admin.users.setRole': Mutation<{
        id: number;
        role: Role;
    }, Changed>;
    'admin.users.resetPassword': Mutation<{
        id: number;
        password?: string | undefined;
    }, {
        password: string | null;
    }>;
    'admin.users.revokeSession': Mutation<{
        id: number;
        sessionId: string;
    }, {
        revoked: boolean;
    }>;
    'admin.users.revokeSessions': Mutation<ById, {
        revoked: number;
    }>;
    'admin.users.delete': Mutation<ById, void>;
    'admin.posts.search': Query<PostQuery, StaffPostPage>;
    'admin.posts.byId': Query<ById, StaffPost>;
    'admin.posts.remove': Mutation<{
        id: number;
        reason: string;
    }, Changed>;
    'admin.posts.restore': Mutation<ById, Changed>;
    'admin.events.state': Query<void, EventsState>;
    'admin.events.dead': Query<DeadQuery, DeadLetterPage>;
    'admin.events.replay': Mutation<ById, void>;
    'admin.events.drop': Mutation<ById, void>;
    'admin.events.replayNext': Mutation<ReplayRange, Replayed>;
    'admin.system.health': Query<void, HealthReport>;
    'admin.system.config': Query<void, ConfigEntry[]>;
    'admin.audit.list': Query<AuditQuery, AuditPage>;
}
export declare const adminProcedureKinds: {
    readonly [Path in keyof AdminProcedures]: AdminProcedures[Path]['kind'];
};
export {};
