import type { Keeper } from './auth.js';
import { PinstackError } from './errors.js';
import type { NotificationChange, PostChange, RelationChange } from './procedures.js';
import type { Fetch } from './transport.js';
export interface LiveOptions {
    lastEventId?: string;
    signal?: AbortSignal;
    onStatus?(status: LiveStatus): void;
}
export type LiveStatus = {
    state: 'connecting';
} | {
    state: 'live';
} | {
    state: 'waiting';
    retryInMs: number;
    error: PinstackError | null;
} | {
    state: 'closed';
    error: PinstackError | null;
};
export interface LiveStream<Item> extends AsyncIterable<Item> {
    readonly lastEventId: string | null;
    listen(onItem: (item: Item) => void, onError?: (error: unknown) => void): () => void;
}
export interface Reset {
    type: 'reset';
}
export interface Live {
    notifications(options?: LiveOptions): LiveStream<NotificationChange | Reset>;
    unreadCount(options?: Omit<LiveOptions, 'lastEventId'>): LiveStream<number>;
    relations(options?: LiveOptions): LiveStream<RelationChange | Reset>;
    posts(options?: LiveOptions): LiveStream<PostChange | Reset>;
}
export interface LiveDeps {
    baseUrl: string;
    keeper: Keeper;
    fetch: Fetch;
    timeoutMs: number;
}
export declare function createLive(deps: LiveDeps): Live;
