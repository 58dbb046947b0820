import type { CallOptions } from './transport.ts'

interface AnyPage {
  items: readonly unknown[]
  nextCursor: number | string | null
}

/**
 * A list that comes by the page: item by item, or page by page. A page is fetched when you get to it; each iteration asks anew.
 *
 * @example
 * ```ts
 * for await (const post of pinstack.posts.list()) console.log(post.title)
 * for await (const page of pinstack.posts.list({ tag: 'intro' }, { limit: 20 }).pages()) render(page.items)
 * const newest = await pinstack.posts.list().all({ max: 100 })
 * ```
 */
export interface Pages<Page extends AnyPage> extends AsyncIterable<Page['items'][number]> {
  /**
   * Page by page, each with what the server says of the whole (`total`): from the first one on, or from where an earlier page
   * ended, which is its `nextCursor`.
   */
  pages(from?: Page['nextCursor']): AsyncIterableIterator<Page>
  /**
   * The first `max` items in one array, or all when there are fewer. No page is fetched that is not needed.
   *
   * @throws {RangeError} when `max` is no integer from 0 to 100,000: more than that is worked off one by one.
   */
  all(options: { max: number }): Promise<Page['items'][number][]>
}

/** For a list. */
export interface PageOptions extends CallOptions {
  /** Items per page, 1 to 100; 50 unless told otherwise. */
  limit?: number | undefined
}

/** Of `all`. */
const itemsMax = 100_000

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

  async function all({ max }: { max: number }): Promise<any[]> {
    if (!(Number.isInteger(max) && max >= 0 && max <= itemsMax)) throw new RangeError(`max must be an integer from 0 to ${itemsMax}`)
    const found: any[] = []
    if (max === 0) return found
    for await (const page of pages()) {
      found.push(...page.items.slice(0, max - found.length))
      if (found.length === max) break
    }
    return found
  }

  return { pages, all, [Symbol.asyncIterator]: items }
}
