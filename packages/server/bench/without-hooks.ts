/**
 * Loads the target `unhooked` as if nobody had thought of correlation and traces: `--import` it. Others it loads in the same way, as they are. Whoever changes what is taken out here is told
 * so, since each piece has to be there.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

const calls: Record<string, readonly (readonly [string, string])[]> = {
  'surfaces/requests.ts': [
    ['request.correlation = correlationOf(request)', ''],
    ['if (request.correlation) correlated(request.correlation, done)\n    else done()', 'done()'],
    ['const { correlation } = request\n', 'const correlation = null as Correlation | null\n'],
    ["if (tracer || [options.method].flat().some((method) => method !== 'GET' && method !== 'HEAD'))", 'if (tracer)'],
  ],
  'adapters/database/watched-driver.ts': [
    ['const span = beginSpan(query)\n', ''],
    ['span?.end({ failed })\n', ''],
  ],
  'adapters/database/transaction.ts': [
    [
      "spanned('transaction', () => insideTransaction.run(true, () => again.execute(() => attempt(work))))",
      'insideTransaction.run(true, () => again.execute(() => attempt(work)))',
    ],
  ],
}

registerHooks({
  load(url, context, next) {
    const [, path] = /packages\/server\/src\/(.*)$/.exec(url) ?? []
    const edits = path && calls[path]
    if (!edits) return next(url, context)
    let source = readFileSync(fileURLToPath(url), 'utf8')
    for (const [call, instead] of process.argv[2] === 'unhooked' ? edits : []) {
      if (!source.includes(call)) throw new Error(`${path} has no ${call}`)
      source = source.replace(call, instead)
    }
    return { format: 'module-typescript', source, shortCircuit: true }
  },
})
