import type { ByteStream } from './event-stream.js';
export interface CallOptions {
    signal?: AbortSignal;
    timeoutMs?: number;
}
export type Fetch = (url: string, init: {
    method: string;
    headers: Record<string, string>;
    body?: string;
    signal: AbortSignal;
}) => Promise<FetchResponse>;
export interface FetchResponse {
    status: number;
    headers: {
        get(name: string): string | null;
    };
    text(): Promise<string>;
    body?: ByteStream | null;
}
export interface Request extends CallOptions {
    kind: 'query' | 'mutation';
    path: string;
    input: unknown;
    accessToken?: string;
}
export type Send = (request: Request) => Promise<unknown>;
export declare function createSend(baseUrl: string, { fetch, timeoutMs: timeoutMsOfClient }: {
    fetch: Fetch;
    timeoutMs: number;
}): Send;
export declare function readAnswer(text: string, { status, headers }: FetchResponse): unknown;
