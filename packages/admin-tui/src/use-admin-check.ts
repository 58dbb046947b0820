import type { Pinstack } from '@pinstack/sdk'
import { useEffect } from 'react'

const checkMs = 3_000

/**
 * Asks every 3 s whether the account is an admin still, and calls `onLost` once it is not. What anyone may read would go on
 * without it. An ended session is told by `onAuthChange`; a server that does not answer proves nothing.
 */
export function useAdminCheck(pinstack: Pinstack, onLost: () => void): void {
  useEffect(() => {
    const left = new AbortController()
    const timer = setInterval(async () => {
      const me = await pinstack.me({ signal: left.signal, timeoutMs: checkMs }).catch(() => undefined)
      if (me && me.role !== 'admin' && !left.signal.aborted) onLost()
    }, checkMs)
    return () => {
      clearInterval(timer)
      left.abort()
    }
  }, [pinstack])
}
