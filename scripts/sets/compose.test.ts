import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { missing, parsers, pinstack } from './programs.ts'

interface Service {
  image: string
  build?: unknown
  restart?: string
  environment?: Record<string, string>
  healthcheck?: { disable?: boolean; test?: string[] }
  deploy?: { resources?: { limits?: { memory?: string; cpus?: number; pids?: number } } }
  logging?: { options?: Record<string, string> }
  security_opt?: string[]
  read_only?: boolean
  cap_drop?: string[]
  depends_on?: Record<string, { condition: string }>
  ports?: { host_ip?: string; published: string; target: number; protocol: string }[]
  volumes?: { type: string; source: string; read_only?: boolean }[]
}

const withoutGo = missing('go', 'golang-go')
const all = ['core', 'monitoring', 'elk', 'tools']
const profiles: Record<string, string[]> = {
  core: ['caddy', 'kafka', 'migrate', 'postgres', 'redis', 'server-1', 'server-2', 'worker'],
  monitoring: ['alloy', 'grafana', 'loki', 'prometheus', 'tempo', 'tempo-volume'],
  elk: ['elasticsearch', 'elasticsearch-users', 'filebeat', 'kibana', 'logstash'],
  tools: ['kafka-ui', 'pgadmin'],
}

describe.skipIf(withoutGo !== '')(`the Compose set, read by compose-go${withoutGo}`, () => {
  let dir: string
  let program: string
  let services: Record<string, Service>

  beforeAll(() => {
    program = parsers()
    dir = join(mkdtempSync(join(tmpdir(), 'pinstack-compose-')), 'set')
    pinstack('deploy', 'compose', '--directory', dir, '--with', 'monitoring,elk,tools', '--domain', 'social.example.com')
    services = project(...all)
  })

  function project(...names: string[]): Record<string, Service> {
    return JSON.parse(execFileSync(program, ['compose', join(dir, 'compose.yaml'), ...names], { encoding: 'utf8' })).services
  }

  test.each(Object.entries(profiles))('the profile %s', (name, expected) => {
    expect(Object.keys(project(name)).sort()).toEqual(expected)
  })

  test('all of them together, and none of them', () => {
    expect(Object.keys(services).sort()).toEqual(Object.values(profiles).flat().sort())
    expect(project()).toEqual({})
  })

  test('no variable has a value that nobody gave: without .env it is refused, and so it is without each secret', () => {
    const whole = readFileSync(join(dir, '.env'), 'utf8')
    const keys = [...whole.matchAll(/^([A-Z_]+)=/gm)]
      .map(([, key]) => key!)
      .filter((key) => !['COMPOSE_PROFILES', 'BIND_ADDRESS'].includes(key))
    expect(keys.length).toBeGreaterThan(10)
    try {
      for (const key of keys) {
        writeFileSync(join(dir, '.env'), whole.replace(new RegExp(`^${key}=.*$`, 'm'), `${key}=`))
        const { status, stderr } = spawnSync(program, ['compose', join(dir, 'compose.yaml'), ...all], { encoding: 'utf8' })
        expect([key, status, stderr]).toEqual([key, 1, expect.stringContaining(key)])
      }
    } finally {
      writeFileSync(join(dir, '.env'), whole)
    }
  })

  test('no password is written into the file', () => {
    const text = readFileSync(join(dir, 'compose.yaml'), 'utf8')
    const secrets = [...text.matchAll(/(?:PASSWORD|SECRET|_KEY|SECRET_KEY)\w*: (\S.*)$/gm)].map(([, value]) => value)
    expect(secrets.length).toBeGreaterThan(10)
    for (const value of secrets) expect(value).toMatch(/^\$\{\w+(:\?[^}]+|:-)\}$/)
  })

  test('every image has a version', () => {
    for (const [name, { image }] of Object.entries(services))
      expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+(\.\d+)+(-\w+)?$/)])
  })

  test('every service has limits, bounded logs and no way to more rights, and starts again', () => {
    for (const [name, service] of Object.entries(services)) {
      const { memory, cpus, pids } = service.deploy?.resources?.limits ?? {}
      expect([name, Number(memory) > 0, Number(cpus) > 0, Number(pids) > 0]).toEqual([name, true, true, true])
      expect([name, service.security_opt]).toEqual([name, ['no-new-privileges:true']])
      expect([name, service.logging?.options]).toEqual([name, { 'max-size': '20m', 'max-file': '5' }])
      expect([name, service.restart]).toEqual([name, runsOnce(name) ? 'no' : 'unless-stopped'])
    }
  })

  /** What others wait for to be done. */
  function runsOnce(name: string): boolean {
    return Object.values(services).some((other) => other.depends_on?.[name]?.condition === 'service_completed_successfully')
  }

  test('every service that goes on has a health check, its own or that of our image', () => {
    const without = Object.entries(services).filter(
      ([name, { healthcheck, image }]) => !runsOnce(name) && !healthcheck?.test && !image.startsWith('pinstack:'),
    )
    expect(without.map(([name]) => name)).toEqual(['tempo'])
  })

  test('our own processes write nowhere and have no rights', () => {
    const ours = Object.entries(services).filter(([, { image }]) => image.startsWith('pinstack:'))
    expect(ours.map(([name]) => name).sort()).toEqual(['migrate', 'server-1', 'server-2', 'worker'])
    for (const [, service] of ours) expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
    expect(ours.filter(([, { build }]) => build).map(([name]) => name)).toEqual(['migrate'])
  })

  test('the world reaches the proxy, and nothing else; the ports are those that they were', () => {
    const found = Object.entries(services).flatMap(([name, { ports = [] }]) =>
      ports.map((port) => `${port.host_ip ?? '*'}:${port.published}/${port.protocol} ${name}`),
    )
    const open = ['*:80/tcp caddy', '*:443/tcp caddy', '*:443/udp caddy']
    const own = {
      8080: 'caddy',
      5432: 'postgres',
      6379: 'redis',
      9092: 'kafka',
      9091: 'kafka-ui',
      5050: 'pgadmin',
      9200: 'elasticsearch',
      5044: 'logstash',
      9600: 'logstash',
      5601: 'kibana',
      9090: 'prometheus',
      3000: 'grafana',
      3100: 'loki',
      3200: 'tempo',
      4317: 'tempo',
      4318: 'tempo',
    }
    expect(found.sort()).toEqual([...open, ...Object.entries(own).map(([port, name]) => `127.0.0.1:${port}/tcp ${name}`)].sort())
  })

  test('every file that is mounted is there, and is read only', () => {
    const mounts = Object.values(services).flatMap(({ volumes = [] }) => volumes.filter(({ type }) => type === 'bind'))
    expect(mounts.length).toBeGreaterThan(5)
    for (const { source, read_only } of mounts) {
      expect([source, read_only]).toEqual([source, true])
      if (source.startsWith(dir)) expect([source, existsSync(source)]).toEqual([source, true])
    }
  })

  test('its settings are ones that the server knows', () => {
    const keys: { key: string }[] = JSON.parse(pinstack('config', 'print', '--json'))
    const known = new Set(
      keys.map(
        ({ key }) =>
          `PINSTACK_${key
            .replace(/[.]/g, '_')
            .replace(/([a-z])([A-Z])/g, '$1_$2')
            .toUpperCase()}`,
      ),
    )
    for (const name of ['server-1', 'worker', 'migrate'])
      expect(Object.keys(services[name]!.environment!).filter((key) => !known.has(key))).toEqual([])
  })
})
