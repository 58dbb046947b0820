import type { SignedOutReason } from '../session.js';
import type { Pinstack } from '../client.js';
export interface SessionView {
    userId: number | null;
    isReady: boolean;
    signedOutReason: SignedOutReason | null;
}
export interface SessionState {
    subscribe(listener: () => void): () => void;
    current(): SessionView;
    first(): SessionView;
}
export declare function createSessionState(pinstack: Pinstack, initialUserId: number | null | undefined): SessionState;
