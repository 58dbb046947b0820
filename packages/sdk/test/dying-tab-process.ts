/** A tab that renews the session, and hears nothing of the answer: it says that the server has done it, and waits for its end. */
import { createPinstack, webStore } from '../src/client.ts'
import { fileStorage } from './file-storage.ts'

const [url, dir] = process.argv.slice(2)
Object.defineProperty(globalThis, 'navigator', { value: {} }) // a browser without Web Locks
const pinstack = createPinstack({
  url: url!,
  store: webStore(fileStorage(dir!)),
  async fetch(...request) {
    await (await fetch(...request)).text()
    console.log('renewed')
    return new Promise(() => {})
  },
})
await pinstack.me()
