import { describe, expect, it, onTestFinished } from 'vitest'
import { createServer } from '../src/server.ts'
import { call, login, quietly, register, testConfig } from './serve.ts'

type Ask = (url: string, token: string) => Promise<{ status: number }>

const rest =
  (method: string, path: string, body?: unknown): Ask =>
  (url, token) =>
    call(url, method, `/api/v1${path}`, { token, body })
const guess = (name: string) => (url: string) => call(url, 'POST', '/api/v1/auth/login', { body: { login: name, password: 'wrong horse' } })

/** What each key limits, and what it leaves alone. The first request is the last that it allows: the second is refused. */
const keys: Record<string, { limits: Ask; leaves: Ask; before?: number }> = {
  readsPerAddress: { limits: (url) => call(url, 'GET', '/trpc/users.byId?input=%7B%22id%22%3A1%7D'), leaves: guess('nobody') },
  readsPerAccount: { limits: rest('GET', '/auth/me'), leaves: (url) => call(url, 'GET', '/api/v1/users/1') },
  writesPerAddress: { limits: rest('PUT', '/users', { id: 1, bio: 'x' }), leaves: rest('GET', '/auth/me'), before: 1 },
  writesPerAccount: { limits: rest('PUT', '/users', { id: 1, bio: 'x' }), leaves: guess('nobody') },
  loginsPerAddress: { limits: (url) => login(url, 'ann'), leaves: rest('GET', '/auth/me') },
  loginFailuresPerAddress: { limits: guess('ann'), leaves: guess('nobody') },
  loginFailuresPerAccount: { limits: guess('ann'), leaves: guess('nobody') },
  registrationsPerAddress: {
    limits: (url) => register(url, `user-${Math.random().toString(36).slice(2, 9)}`),
    leaves: rest('GET', '/auth/me'),
    before: 1,
  },
  refreshesPerAddress: { limits: rest('POST', '/auth/refresh', { refresh_token: 'x' }), leaves: rest('GET', '/auth/me') },
}

describe('rateLimits', () => {
  it.each(Object.entries(keys))('.%s limits what it says, and nothing else', async (key, { limits, leaves, before = 0 }) => {
    const server = await createServer(testConfig({ 'rateLimits.enabled': true, [`rateLimits.${key}`]: 1 + before }), quietly)
    onTestFinished(() => server.close())
    const { apiUrl } = await server.listen()
    const token = (await register(apiUrl, 'ann')).body.data.access_token as string
    const statuses = [(await limits(apiUrl, token)).status, (await limits(apiUrl, token)).status, (await leaves(apiUrl, token)).status]
    expect(statuses.map((status) => status === 429)).toEqual([false, true, false])
  })

  it('.enabled: false limits nothing, and says nothing of limits', async () => {
    const all = Object.fromEntries(Object.keys(keys).map((key) => [`rateLimits.${key}`, 1]))
    const server = await createServer(testConfig({ ...all, 'rateLimits.enabled': false }), quietly)
    onTestFinished(() => server.close())
    const { apiUrl } = await server.listen()
    const token = (await register(apiUrl, 'ann')).body.data.access_token as string
    for (const { limits } of Object.values(keys)) for (let i = 0; i < 3; i++) expect((await limits(apiUrl, token)).status).not.toBe(429)
    expect((await call(apiUrl, 'GET', '/api/v1/users/1')).headers.get('ratelimit-limit')).toBeNull()
  })
})
