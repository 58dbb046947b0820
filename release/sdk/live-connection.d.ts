import { type ServerEvent } from './event-stream.js';
import { type Fetch } from './transport.js';
export interface Opening {
    path: string;
    accessToken: string | undefined;
    lastEventId: string | null;
    signal: AbortSignal;
    onRetry(ms: number): void;
}
export declare function connect({ baseUrl, fetch, timeoutMs }: {
    baseUrl: string;
    fetch: Fetch;
    timeoutMs: number;
}, { path, accessToken, lastEventId, signal, onRetry }: Opening): AsyncGenerator<ServerEvent, void>;
