import type { Keeper } from './auth.js';
import { type Procedures } from './procedures.js';
import type { CallOptions, Send } from './transport.js';
export type Call = <Path extends keyof Procedures>(path: Path, input: Procedures[Path]['input'], options?: CallOptions, around?: (work: () => Promise<Procedures[Path]['output']>) => Promise<Procedures[Path]['output']>) => Promise<Procedures[Path]['output']>;
export declare const tokenRefusals: readonly ["auth.token_expired", "auth.invalid_token", "auth.unauthenticated"];
export declare function createCall(send: Send, keeper: Keeper): Call;
export declare function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T>;
