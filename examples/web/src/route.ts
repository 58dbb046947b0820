import { useSyncExternalStore } from 'react'

/** Where one is: the part of the address after `#/`, in pieces. `#/tag/intro` is `['tag', 'intro']`. */
export function useRoute(): string[] {
  const hash = useSyncExternalStore(
    (listener) => {
      window.addEventListener('hashchange', listener)
      return () => window.removeEventListener('hashchange', listener)
    },
    () => window.location.hash,
  )
  return hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent)
}
