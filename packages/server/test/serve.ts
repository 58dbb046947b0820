import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, type Config, type FlagValue } from '../src/config.ts'
import { createLogger } from '../src/surfaces/logging.ts'

export const newDataDir = () => mkdtempSync(join(tmpdir(), 'pinstack-data-'))

/** A configuration for tests: free ports, no log, a data directory of its own. */
export function testConfig(flags: Record<string, FlagValue> = {}): Config {
  return loadConfig({
    flags: { 'http.port': 0, 'metrics.port': 0, 'log.level': 'silent', 'data.dir': newDataDir(), 'rateLimits.enabled': false, ...flags },
  }).config
}

/** No log, and no refusals because this machine is busy with other tests. */
export const quietly = { logger: createLogger({ level: 'silent' }), loopDelayMsMax: Number.POSITIVE_INFINITY }

export interface Answer {
  status: number
  headers: Headers
  body: any
}

/** A JSON call as a client makes it. */
export async function call(
  url: string,
  method: string,
  path: string,
  { body, token }: { body?: unknown; token?: string } = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

export const register = (url: string, name: string) =>
  call(url, 'POST', '/api/v1/auth/register', { body: { username: name, email: `${name}@example.com`, password: 'correct horse' } })

export const login = (url: string, name: string) =>
  call(url, 'POST', '/api/v1/auth/login', { body: { login: name, password: 'correct horse' } })
