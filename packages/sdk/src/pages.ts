import type { CallOptions } from './transport.ts'

/** A list that comes by the page: item by item, or page by page. A page is fetched when you get to it; each iteration asks anew. */
export interface Pages<Page extends { items: readonly unknown[] }> extends AsyncIterable<Page['items'][number]> {
  pages(): AsyncIterableIterator<Page>
}

export interface PageOptions extends CallOptions {
  /** Items per page, 1 to 100; 50 unless told otherwise. */
  limit?: number
}

interface AnyPage {
  items: readonly unknown[]
  nextCursor: number | string | null
}

export function pagesOf<Page extends AnyPage>(
  fetchPage: (cursor: NonNullable<Page['nextCursor']> | undefined) => Promise<Page>,
): Pages<Page> {
  async function* pages(): AsyncGenerator<Page, undefined> {
    let cursor: Page['nextCursor'] = null
    do {
      const page: Page = await fetchPage(cursor ?? undefined)
      yield page
      cursor = page.nextCursor
    } while (cursor !== null)
  }

  async function* items(): AsyncGenerator<any, undefined> {
    for await (const { items } of pages()) yield* items
  }

  return { pages, [Symbol.asyncIterator]: items }
}
