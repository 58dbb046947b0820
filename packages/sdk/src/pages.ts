import type { CallOptions } from './transport.ts'

interface AnyPage {
  items: readonly unknown[]
  nextCursor: number | string | null
}

/** A list that comes by the page: item by item, or page by page. A page is fetched when you get to it; each iteration asks anew. */
export interface Pages<Page extends AnyPage> extends AsyncIterable<Page['items'][number]> {
  /** Page by page: from the first one on, or from where an earlier page ended, which is its `nextCursor`. */
  pages(from?: Page['nextCursor']): AsyncIterableIterator<Page>
}

export interface PageOptions extends CallOptions {
  /** Items per page, 1 to 100; 50 unless told otherwise. */
  limit?: number | undefined
}

export function pagesOf<Page extends AnyPage>(
  fetchPage: (cursor: NonNullable<Page['nextCursor']> | undefined) => Promise<Page>,
): Pages<Page> {
  async function* pages(from: Page['nextCursor'] = null): AsyncGenerator<Page, undefined> {
    let cursor = from
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
