import type { Tokens } from './procedures.js';
export interface Session {
    accessToken: string;
    refreshToken: string;
    renewAtMs: number;
    accessExpiresAtMs: number;
    userId: number;
    sessionId: string;
}
export interface SessionStore {
    load(): Session | null | Promise<Session | null>;
    save(session: Session | null): void | Promise<void>;
    exclusive?<T>(work: () => Promise<T>): Promise<T>;
}
export declare function memoryStore(): SessionStore;
export interface WebStorage {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
    removeItem(key: string): void;
}
export declare function webStore(storage: WebStorage, key?: string): SessionStore;
export declare function sessionOf({ accessToken, refreshToken }: Tokens, nowMs: number): Session;
