import type { Tokens } from './procedures.js';
import { type Session, type SessionStore } from './session.js';
import type { Send } from './transport.js';
export type AuthChange = {
    state: 'signed_in';
    userId: number;
    sessionId: string;
} | {
    state: 'signed_out';
    reason: SignedOutReason;
};
export type SignedOutReason = 'logout' | 'ended' | 'deleted';
export interface Keeper {
    current(): Promise<Session | null>;
    fresh(): Promise<Session | null>;
    renew(used: Session): Promise<Session | null>;
    exclusive<T>(work: () => Promise<T>): Promise<T>;
    signIn(tokens: Tokens): Promise<Session>;
    keep(tokens: Tokens): Promise<Session>;
    signOut(reason: SignedOutReason): Promise<void>;
    onChange(listener: (state: AuthChange) => void): () => void;
}
export declare function createKeeper({ store, send, nowMs }: {
    store: SessionStore;
    send: Send;
    nowMs(): number;
}): Keeper;
