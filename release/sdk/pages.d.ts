import type { CallOptions } from './transport.js';
interface AnyPage {
    items: readonly unknown[];
    nextCursor: number | string | null;
}
export interface Pages<Page extends AnyPage> extends AsyncIterable<Page['items'][number]> {
    pages(from?: Page['nextCursor']): AsyncIterableIterator<Page>;
    all(options: {
        max: number;
    }): Promise<Page['items'][number][]>;
}
export interface PageOptions extends CallOptions {
    limit?: number | undefined;
}
export declare function pagesOf<Page extends AnyPage>(fetchPage: (cursor: NonNullable<Page['nextCursor']> | undefined) => Promise<Page>): Pages<Page>;
export {};
