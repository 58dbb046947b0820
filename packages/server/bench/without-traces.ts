/** `node --import without-traces.ts`: the product, with the hooks of tracing taken out of the path of a request. */
import { registerHooks } from 'node:module'

const own = new URL('./untraced-correlation.ts', import.meta.url).href
const replaced = new URL('../src/core/correlation.ts', import.meta.url).href

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    return found.url === replaced && context.parentURL !== own ? { ...found, url: own } : found
  },
})
