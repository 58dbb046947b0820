import { type Context } from 'react';
import type { Pinstack } from '../client.js';
import { type PinstackKeys } from './keys.js';
import type { LiveHub } from './live-hub.js';
import type { SessionState, SessionView } from './session-state.js';
import type { StatusLoader } from './status-loader.js';
export interface Shared {
    pinstack: Pinstack;
    session: SessionState;
    live: LiveHub;
    statusOf: StatusLoader;
}
export declare const PinstackContext: Context<Shared | null>;
export declare function useShared(): Shared;
export declare function usePinstack(): Pinstack;
export declare function useSession(): SessionView;
export declare function useKeys(): PinstackKeys;
