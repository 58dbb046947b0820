/**
 * A document for the tests, to be imported before anything of React. Not the test runner's environment for that: it replaces half of
 * the globals, and the server runs in this process, too.
 */
import { JSDOM } from 'jsdom'

const { window } = new JSDOM('<!doctype html><body></body>', { url: 'http://127.0.0.1', pretendToBeVisual: true })
const taken = [
  'document',
  'localStorage',
  'HTMLElement',
  'HTMLIFrameElement',
  'Node',
  'Element',
  'StorageEvent',
  'MutationObserver',
] as const
for (const name of taken) Object.defineProperty(globalThis, name, { value: window[name], configurable: true })
Object.assign(globalThis, {
  window,
  IS_REACT_ACT_ENVIRONMENT: true,
  addEventListener: window.addEventListener.bind(window),
  removeEventListener: window.removeEventListener.bind(window),
})
