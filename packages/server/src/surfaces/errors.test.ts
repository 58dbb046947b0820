import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { DeclaredError } from '../core/errors.ts'
import { DatabaseUnavailable } from '../ports/database.ts'
import { httpStatusOf } from '../rpc/error-kinds.ts'
import { rpcFailures } from '../rpc/procedures.ts'
import { httpFailures, internalFailure } from './envelope.ts'

const documented = join(import.meta.dirname, '../../../../docs/errors.md')
const trpcStatus = { BAD_REQUEST: 400, NOT_FOUND: 404, METHOD_NOT_SUPPORTED: 405, UNSUPPORTED_MEDIA_TYPE: 415, PAYLOAD_TOO_LARGE: 413 }

/** Of every module that could export one, so that a new feature need not be named here. */
async function errorTables() {
  const root = join(import.meta.dirname, '..')
  const files = globSync(['core/*.ts', 'ports/*.ts', 'features/*/*.ts', 'surfaces/*.ts'], { cwd: root }).filter(
    (path) => !/\.(test|contract)\.ts$/.test(path),
  )
  const modules = await Promise.all(files.map((file) => import(join(root, file)) as Promise<object>))
  return modules.flatMap((module) => Object.values(module)).filter(isErrorTable)
}

async function declaredInCode(): Promise<string[][]> {
  const tables = await errorTables()
  const fromTables = tables.flatMap(({ declared }) =>
    declared.map(({ kind, code, message }) => [code, String(httpStatusOf(kind)), message]),
  )
  const { kind, code, message } = new DatabaseUnavailable(undefined)
  return [
    ...fromTables,
    [code, String(httpStatusOf(kind)), message],
    ...[...Object.values(httpFailures), internalFailure].map(({ code, status, message }) => [code, String(status), message]),
    ...Object.entries(rpcFailures).map(([name, code]) => [
      code,
      String(trpcStatus[name as keyof typeof trpcStatus]),
      code === 'http.body_too_large' ? 'request too large' : '',
    ]),
  ]
}

function isErrorTable(value: unknown): value is { declared: DeclaredError[] } {
  return typeof value === 'object' && value !== null && Array.isArray((value as { declared?: unknown }).declared)
}

it('docs/errors.md lists every code that a client can see, with its status and message, and no other', async () => {
  const rows = [...(await readFile(documented, 'utf8')).matchAll(/^\| `([\w.]+)` \| (\d{3}) \| (?:`(.*?)`|tRPC’s own) \| (.+?) \|$/gm)]
  const listed = rows.map(([, code, status, message = '']) => [code, status, message].join(' | '))
  const declared = [...new Set((await declaredInCode()).map((row) => row.join(' | ')))]
  expect(declared.length).toBeGreaterThan(20)
  expect(listed.toSorted()).toEqual(declared.toSorted())
})
