import type { CallOptions } from './transport.js';
export interface Pages<Page extends {
    items: readonly unknown[];
}> extends AsyncIterable<Page['items'][number]> {
    pages(): AsyncIterableIterator<Page>;
}
export interface PageOptions extends CallOptions {
    limit?: number;
}
interface AnyPage {
    items: readonly unknown[];
    nextCursor: number | string | null;
}
export declare function pagesOf<Page extends AnyPage>(fetchPage: (cursor: NonNullable<Page['nextCursor']> | undefined) => Promise<Page>): Pages<Page>;
export {};
