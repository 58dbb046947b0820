import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { Addresses } from '../../src/server.ts'
import { newDataDir } from '../serve.ts'

const script = fileURLToPath(new URL('../server-process.ts', import.meta.url))
const diskMiB = 16
const leftBytes = 1024 * 1024
const postsMax = 1_000

/** A server whose data are on a small disk of its own, and whose log goes to a full one. The disk is seen by it alone: it goes with the process. */
async function startOnSmallDisk() {
  const disk = newDataDir()
  const mounted = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 && exec "$@"'
  const flags = [`data.dir=${disk}/data`, 'log.level=info', 'rateLimits.enabled=false']
  const child = spawn('unshare', ['-rm', 'sh', '-c', mounted, 'sh', `${diskMiB}m`, disk, process.execPath, script, ...flags], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'inherit', 'ipc'],
  })
  const [{ apiUrl }] = (await once(child, 'message')) as [Addresses]
  return { child, apiUrl, disk: `/proc/${child.pid}/root${disk}` }
}

function fill(file: string): void {
  const bytes = Buffer.alloc(diskMiB * 1024 * 1024)
  expect(() => writeFileSync(file, bytes)).toThrow('ENOSPC')
}

it('a full disk refuses writes with a way out, serves reads, keeps all that it has acknowledged, and takes writes again once there is room', async () => {
  const { child, apiUrl, disk } = await startOnSmallDisk()
  const call = async (path: string, body?: object, token?: string) => {
    const headers = token ? { authorization: `Bearer ${token}` } : undefined
    const sent = body && { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(`${apiUrl}/api/v1${path}`, { ...sent, ...(headers && { headers }) })
    return { status: response.status, retryAfter: response.headers.get('retry-after'), body: (await response.json()) as any }
  }
  const total = async () => (await call('/posts/list?limit=1')).body.data.total
  try {
    const account = { username: 'anna', email: 'anna@example.com', password: 'correct horse' }
    const token = (await call('/auth/register', account)).body.data.access_token
    const post = () => call('/posts', { title: 'A day at the lake', content: 'x'.repeat(9_000), tags: ['lake'] }, token)
    expect((await post()).status).toBe(201)

    const ballast = `${disk}/ballast`
    fill(ballast)
    truncateSync(ballast, statSync(ballast).size - leftBytes)
    let acknowledged = 1
    let refused: Awaited<ReturnType<typeof post>> | undefined
    for (let i = 0; i < postsMax && !refused; i++) {
      const answer = await post()
      if (answer.status === 201) acknowledged++
      else refused = answer
    }
    expect(acknowledged).toBeGreaterThan(1)
    expect(refused).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^\d+$/), body: { message: 'service unavailable' } })
    expect((await post()).status).toBe(503)
    expect(await total()).toBe(acknowledged)

    truncateSync(ballast, 0)
    await expect.poll(async () => (await post()).status, { timeout: 15_000 }).toBe(201)
    expect(await total()).toBe(acknowledged + 1)
  } finally {
    child.kill('SIGTERM')
  }
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
  expect(code).toBe(0)
})
