import {
  useInfiniteQuery,
  useQuery,
  type InfiniteData,
  type QueryClient,
  type QueryKey,
  type UseInfiniteQueryResult,
  type UseQueryResult,
} from '@tanstack/react-query'
import type { Pinstack } from '../client.ts'
import type { PinstackError } from '../errors.ts'
import type { Pages } from '../pages.ts'
import { usePinstack, useSession } from './context.ts'

/** One thing that is loaded: `data`, `error`, `isPending` and the rest of what TanStack Query gives. */
export type Result<Data> = UseQueryResult<Data, PinstackError>

/** A list that grows by the page: `data` has the items of all pages so far, `fetchNextPage()` loads another while `hasNextPage`. */
export type ListResult<Item> = UseInfiniteQueryResult<Item[], PinstackError>

export interface ListOptions {
  /** Items per page, 1 to 100; 50 unless told otherwise. */
  limit?: number | undefined
  /** False does not load. */
  enabled?: boolean | undefined
}

interface AnyPage {
  items: unknown[]
  nextCursor: number | string | null
}

/** How often something is asked for again when the server did not answer, or had no time. */
const retriesMax = 2

function isWorthAnotherTry(failures: number, { status }: PinstackError): boolean {
  return failures < retriesMax && (status === 0 || status === 429 || status >= 500)
}

interface QueryOptions {
  queryKey: QueryKey
  /** Only for somebody who is signed in. */
  own?: boolean
  enabled?: boolean | undefined
}

/** Waits for the store to say who is signed in: otherwise a page would load all as nobody, and then again. */
function useEnabled({ own = false, enabled = true }: QueryOptions): boolean {
  const { userId, isReady } = useSession()
  return enabled && isReady && (!own || userId !== null)
}

export function useOne<Data>(options: QueryOptions, load: (pinstack: Pinstack, signal: AbortSignal) => Promise<Data>): Result<Data> {
  const pinstack = usePinstack()
  const enabled = useEnabled(options)
  return useQuery<Data, PinstackError>({
    queryKey: options.queryKey,
    queryFn: ({ signal }) => load(pinstack, signal),
    enabled,
    retry: isWorthAnotherTry,
  })
}

export function useList<Page extends AnyPage>(
  options: QueryOptions,
  open: (pinstack: Pinstack, signal: AbortSignal) => Pages<Page>,
): ListResult<Page['items'][number]> {
  const pinstack = usePinstack()
  const enabled = useEnabled(options)
  return useInfiniteQuery<Page, PinstackError, Page['items'][number][], QueryKey, Page['nextCursor']>({
    queryKey: options.queryKey,
    queryFn: async ({ pageParam, signal }) =>
      (
        await open(pinstack, signal)
          .pages(pageParam as Page['nextCursor'])
          .next()
      ).value,
    initialPageParam: null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    select: itemsOf,
    enabled,
    retry: isWorthAnotherTry,
  })
}

function itemsOf(data: { pages: AnyPage[] }): any[] {
  return data.pages.flatMap(({ items }) => items)
}

/** Changes the items of all lists below `queryKey` that are loaded, a page at a time. */
export function editLists<Item>(cache: QueryClient, queryKey: QueryKey, edit: (items: Item[], page: number) => Item[]): void {
  cache.setQueriesData<InfiniteData<{ items: Item[] }>>(
    { queryKey },
    (data) => data && { ...data, pages: data.pages.map((page, index) => ({ ...page, items: edit(page.items, index) })) },
  )
}
