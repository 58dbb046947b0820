import { type QueryClient, type QueryKey, type UseInfiniteQueryResult, type UseQueryResult } from '@tanstack/react-query';
import type { Pinstack } from '../client.js';
import type { PinstackError } from '../errors.js';
import type { Pages } from '../pages.js';
export type Result<Data> = UseQueryResult<Data, PinstackError>;
export type ListResult<Item> = UseInfiniteQueryResult<Item[], PinstackError>;
export interface ListOptions {
    limit?: number | undefined;
    enabled?: boolean | undefined;
}
interface AnyPage {
    items: unknown[];
    nextCursor: number | string | null;
}
interface QueryOptions {
    queryKey: QueryKey;
    own?: boolean;
    enabled?: boolean | undefined;
}
export declare function useOne<Data>(options: QueryOptions, load: (pinstack: Pinstack, signal: AbortSignal) => Promise<Data>): Result<Data>;
export declare function useList<Page extends AnyPage>(options: QueryOptions, open: (pinstack: Pinstack, signal: AbortSignal) => Pages<Page>): ListResult<Page['items'][number]>;
export declare function editLists<Item>(cache: QueryClient, queryKey: QueryKey, edit: (items: Item[], page: number) => Item[]): void;
export {};
