import { createPinstack, webStore } from '@pinstack/sdk'

/** The server: `npx pinstack up` on this machine, unless VITE_PINSTACK_URL says otherwise. All tabs share the session. */
export const pinstack = createPinstack({
  url: import.meta.env.VITE_PINSTACK_URL ?? 'http://127.0.0.1:8080',
  store: webStore(localStorage),
})
