import { useEffect, useState } from 'react'

/** What `/healthz` answers. */
export interface Health {
  status: string
  version: string
  uptime_seconds: number
  parts: Record<string, { status: string; latency_ms: number; [detail: string]: string | number | null }>
}

export const refreshMs = 2_000

/** The server's health, asked anew 2 s after each answer. `problem` says why there is none; the last one known stays beside it. */
export function useHealth(url: string): { health?: Health; problem?: string } {
  const [state, setState] = useState<{ health?: Health; problem?: string }>({})
  useEffect(() => {
    const left = new AbortController()
    let timer: NodeJS.Timeout
    async function look(): Promise<void> {
      try {
        const response = await fetch(new URL('healthz', url.endsWith('/') ? url : `${url}/`), {
          signal: AbortSignal.any([left.signal, AbortSignal.timeout(refreshMs)]),
        })
        const health = (await response.json()) as Health
        if (typeof health.parts !== 'object') throw new TypeError('not a health report')
        setState({ health })
      } catch {
        if (left.signal.aborted) return
        setState(({ health }) => ({ ...(health && { health }), problem: 'no answer' }))
      }
      timer = setTimeout(look, refreshMs)
    }
    void look()
    return () => {
      left.abort()
      clearTimeout(timer)
    }
  }, [url])
  return state
}
