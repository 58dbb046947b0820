import type { AuditFilter, AuditPage, ConfigEntry, DeadLetterPage, EventsState, HealthReport, ListedUserFilter, ListedUserPage, Replayed, ReplayRange, StaffPost, StaffPostFilter, StaffPostPage, SuspensionTerms, UserDetail } from './admin-procedures.js';
import type { Call } from './call.js';
import { type PageOptions, type Pages } from './pages.js';
import type { Role } from './procedures.js';
import type { CallOptions } from './transport.js';
export interface Admin {
    readonly users: AdminUsers;
    readonly posts: AdminPosts;
    readonly events: AdminEvents;
    readonly system: AdminSystem;
    readonly audit: AdminAudit;
}
export interface AdminUsers {
    search(filter?: ListedUserFilter, options?: PageOptions): Pages<ListedUserPage>;
    get(id: number, options?: CallOptions): Promise<UserDetail>;
    suspend(id: number, terms: SuspensionTerms, options?: CallOptions): Promise<boolean>;
    restore(id: number, options?: CallOptions): Promise<boolean>;
    setRole(id: number, role: Role, options?: CallOptions): Promise<boolean>;
    resetPassword(id: number, password?: string, options?: CallOptions): Promise<string | null>;
    revokeSession(id: number, sessionId: string, options?: CallOptions): Promise<boolean>;
    revokeSessions(id: number, options?: CallOptions): Promise<number>;
    delete(id: number, options?: CallOptions): Promise<void>;
}
export interface AdminPosts {
    search(filter?: StaffPostFilter, options?: PageOptions): Pages<StaffPostPage>;
    get(id: number, options?: CallOptions): Promise<StaffPost>;
    remove(id: number, reason: string, options?: CallOptions): Promise<boolean>;
    restore(id: number, options?: CallOptions): Promise<boolean>;
}
export interface AdminEvents {
    state(options?: CallOptions): Promise<EventsState>;
    dead(filter?: {
        consumer?: string;
    }, options?: PageOptions): Pages<DeadLetterPage>;
    replay(id: number, options?: CallOptions): Promise<void>;
    drop(id: number, options?: CallOptions): Promise<void>;
    replayNext(range?: ReplayRange, options?: CallOptions): Promise<Replayed>;
}
export interface AdminSystem {
    health(options?: CallOptions): Promise<HealthReport>;
    config(options?: CallOptions): Promise<ConfigEntry[]>;
}
export interface AdminAudit {
    list(filter?: AuditFilter, options?: PageOptions): Pages<AuditPage>;
}
export declare function createAdmin(call: Call): Admin;
