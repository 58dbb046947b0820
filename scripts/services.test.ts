import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { root } from './packages.ts'

const hasRedis = spawnSync('redis-server', ['--version']).status === 0
if (!hasRedis && process.env.CI) throw new Error('redis-server is required in CI: scripts/services.sh installs it')

/** Redis stands for all three here: it starts at once. The others run wherever all suites do. */
describe.skipIf(!hasRedis)(`scripts/services.sh${hasRedis ? '' : ' — redis-server is not installed'}`, () => {
  let dir: string
  let env: NodeJS.ProcessEnv
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'pinstack-services-'))
    env = { ...process.env, SERVICES_DIR: dir, SERVICES_BY: 'native', SERVICES_REDIS_PORT: '' }
  })
  afterEach(async () => {
    await services('down', 'redis')
    rmSync(dir, { recursive: true })
  })

  async function services(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const script = join(root, 'scripts/services.sh')
    return await promisify(execFile)('bash', [script, ...args], { env }).then(
      (output) => ({ code: 0, ...output }),
      (error) => ({ code: error.code as number, stdout: error.stdout as string, stderr: error.stderr as string }),
    )
  }
  const pid = () => Number(readFileSync(join(dir, 'redis.pid'), 'utf8').split(' ')[0])
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }

  it('starts once however often it is asked, prints lines for `export` and nothing else, and is down afterwards', async () => {
    const up = await services('up', 'redis')
    expect(up).toMatchObject({ code: 0, stdout: expect.stringMatching(/^TEST_REDIS_URL=redis:\/\/127\.0\.0\.1:\d+\n$/) })
    const first = pid()
    expect(await services('up', 'redis')).toMatchObject({ code: 0, stdout: up.stdout })
    expect(pid()).toBe(first)
    expect(await services('status', 'redis')).toMatchObject({ code: 0, stdout: up.stdout })
    const socket = connect(Number(up.stdout.trim().split(':').at(-1)), '127.0.0.1')
    socket.write('PING\r\n')
    expect(String((await once(socket, 'data'))[0])).toBe('+PONG\r\n')
    socket.destroy()
    await services('down', 'redis')
    expect(isAlive(first)).toBe(false)
    expect(await services('status', 'redis')).toMatchObject({ code: 3, stdout: '', stderr: 'redis is down\n' })
  })

  it('refuses a port that is taken when it was asked for, and names the variable', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    env.SERVICES_REDIS_PORT = String((other.address() as AddressInfo).port)
    expect(await services('up', 'redis')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('SERVICES_REDIS_PORT') })
    other.close()
  })

  it('leaves a stranger alone that has got the pid of a server of before', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(stranger, 'spawn')
    writeFileSync(join(dir, 'redis.pid'), `${stranger.pid} 12345\n`)
    expect(await services('down', 'redis')).toMatchObject({ code: 0 })
    expect([isAlive(stranger.pid!), existsSync(join(dir, 'redis.pid'))]).toEqual([true, false])
    stranger.kill()
  })

  it('says what it can do, and which services there are', async () => {
    expect(await services()).toMatchObject({ code: 2, stderr: expect.stringContaining('up     [postgres] [redis] [kafka]') })
    expect(await services('up', 'mysql')).toMatchObject({ code: 2, stderr: expect.stringContaining('postgres, redis, kafka') })
  })
})
