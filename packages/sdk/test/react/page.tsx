import { QueryClient } from '@tanstack/react-query'
import { cleanup, render, type RenderResult } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { onTestFinished } from 'vitest'
import type { Pinstack } from '../../src/client.ts'
import { PinstackProvider } from '../../src/react/react.ts'

export interface Page extends RenderResult {
  cache: QueryClient
}

/** Puts an app on a page, in StrictMode as apps are made, and takes it off when the test ends. */
export function show(pinstack: Pinstack, app: ReactNode): Page {
  const cache = new QueryClient()
  const page = render(
    <StrictMode>
      <PinstackProvider client={pinstack} queryClient={cache}>
        {app}
      </PinstackProvider>
    </StrictMode>,
  )
  onTestFinished(() => {
    cleanup()
    cache.clear()
  })
  return { ...page, cache }
}

/** How many streams of a topic the server says are open. */
export async function openStreams(metricsUrl: string, topic: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text()
  const [, value] = new RegExp(`^pinstack_live_streams{topic="${topic}"} (\\d+)$`, 'm').exec(text) ?? []
  return Number(value)
}
