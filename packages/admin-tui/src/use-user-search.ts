import { isPinstackError, type Pinstack, type SearchPage } from '@pinstack/sdk'
import { useEffect, useRef, useState } from 'react'

/** What to look for. A new object is a new search, even for the same text. */
export interface Search {
  text: string
  /** Users on a page. */
  limit: number
}

export interface UserSearch {
  page: SearchPage | undefined
  /** From 1. */
  pageNumber: number
  pageCount: number
  isLoading: boolean
  problem: string | undefined
  next(): void
  previous(): void
}

/** The pages of a search, fetched when they are first asked for and kept for going back. */
export function useUserSearch(pinstack: Pinstack, search: Search | undefined): UserSearch {
  const [pages, setPages] = useState<SearchPage[]>([])
  const [index, setIndex] = useState(0)
  const [isLoading, setIsLoading] = useState(false)
  const [problem, setProblem] = useState<string>()
  const source = useRef<AsyncIterator<SearchPage>>(undefined)

  async function fetchPage(from: AsyncIterator<SearchPage>, before: SearchPage[]): Promise<void> {
    setIsLoading(true)
    try {
      const { value, done } = await from.next()
      if (source.current !== from) return
      if (done) return setProblem('Search again to see more.') // a search that failed once does not go on
      setPages([...before, value])
      setIndex(before.length)
      setProblem(undefined)
    } catch (error) {
      if (source.current === from) setProblem(`${explain(error)} Search again to go on.`)
    } finally {
      if (source.current === from) setIsLoading(false)
    }
  }

  useEffect(() => {
    if (!search) return
    setPages([])
    setIndex(0)
    setProblem(undefined)
    source.current = pinstack.users.search(search.text, { limit: search.limit }).pages()
    void fetchPage(source.current, [])
    return () => {
      source.current = undefined
    }
  }, [pinstack, search])

  const page = pages[index]
  return {
    page,
    pageNumber: index + 1,
    pageCount: Math.max(1, Math.ceil((page?.total ?? 0) / (search?.limit ?? 1))),
    isLoading,
    problem,
    next() {
      if (isLoading || !page || page.nextCursor === null) return
      if (index + 1 < pages.length) setIndex(index + 1)
      else if (source.current) void fetchPage(source.current, pages)
    },
    previous() {
      if (index > 0) setIndex(index - 1)
    },
  }
}

function explain(error: unknown): string {
  if (isPinstackError(error, 'network', 'timeout')) return 'The server does not answer.'
  if (isPinstackError(error, 'input.invalid')) return 'The server does not accept this text.'
  return `The server says: ${error instanceof Error ? error.message : String(error)}.`
}
