import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { manifestValidator, missing, parsers, pinstack } from './programs.ts'

const withoutPrograms = missing('go', 'golang-go') || missing('python3')
/** Those that are supported, and the next. `preStop.sleep` needs 1.30. */
const versions = ['1.32', '1.33', '1.34', '1.35', '1.36', '1.37']

describe.skipIf(withoutPrograms !== '')(`the Kubernetes set, built by kustomize${withoutPrograms}`, () => {
  let dir: string
  let resources: any[]

  function build(...options: string[]): any[] {
    const set = join(mkdtempSync(join(tmpdir(), 'pinstack-kubernetes-')), 'set')
    pinstack('deploy', 'kubernetes', '--directory', set, '--database', 'postgres://u:p@db.example.com:6432/pinstack', ...options)
    return JSON.parse(execFileSync(parsers(), ['kustomize', join(set, 'overlays/production')], { encoding: 'utf8' }))
  }

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'pinstack-manifests-'))
    resources = build(
      '--redis',
      'redis://:p@redis',
      '--kafka',
      'a:9092,b:9092',
      '--domain',
      'social.example.com',
      '--namespace',
      'social',
      '--image',
      'r.example.com:5000/pinstack:1.2.3',
      '--service-monitor',
    )
    writeFileSync(join(dir, 'core.yaml'), core(resources))
  })

  /** @NOTE the ServiceMonitor is no kind of Kubernetes itself: the program that builds has decoded it by its own types. */
  function core(documents: any[]): string {
    return documents
      .filter(({ kind }) => kind !== 'ServiceMonitor')
      .map((one) => JSON.stringify(one))
      .join('\n---\n')
  }

  const of = (kind: string, name?: string) => resources.filter((one) => one.kind === kind && (!name || one.metadata.name === name))
  const pods = () => resources.filter(({ kind }) => ['Deployment', 'Job'].includes(kind)).map(({ spec }) => spec.template.spec)

  test('has all that it should', () => {
    expect(resources.map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/-[a-z0-9]{10}$/, '')}`).sort()).toEqual([
      'ConfigMap pinstack-settings',
      'Deployment pinstack-api',
      'Deployment pinstack-worker',
      'HorizontalPodAutoscaler pinstack-api',
      'Ingress pinstack',
      'Job pinstack-migrate',
      'Namespace social',
      'NetworkPolicy pinstack',
      'PodDisruptionBudget pinstack-api',
      'PodDisruptionBudget pinstack-worker',
      'Secret pinstack-secrets',
      'Service pinstack-api',
      'Service pinstack-metrics',
      'ServiceAccount pinstack',
      'ServiceMonitor pinstack',
    ])
    for (const { kind, metadata } of resources)
      expect([kind, metadata.namespace]).toEqual([kind, kind === 'Namespace' ? undefined : 'social'])
  })

  test.each(versions)('is valid for Kubernetes %s, nothing unknown in it', (version) => {
    const validate = (file: string) => spawnSync(manifestValidator(), ['--strict', '-k', version, join(dir, file)], { encoding: 'utf8' })
    const { status, stdout, stderr } = validate('core.yaml')
    expect([status, stdout + stderr]).toEqual([0, expect.not.stringMatching(/ERROR|WARN/)])
    const broken = resources.map((one) => (one.kind === 'Deployment' ? { ...one, spec: { ...one.spec, replica: 2 } } : one))
    writeFileSync(join(dir, 'broken.yaml'), core(broken))
    expect(validate('broken.yaml').status).not.toBe(0)
  })

  test('a misspelt field of the ServiceMonitor is found, too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pinstack-monitor-'))
    writeFileSync(join(folder, 'kustomization.yaml'), 'resources: [monitor.yaml]\n')
    const text = (field: string) =>
      `apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: { name: x }\nspec: { selector: {}, endpoints: [{ ${field}: a }] }\n`
    writeFileSync(join(folder, 'monitor.yaml'), text('prot'))
    expect(spawnSync(parsers(), ['kustomize', folder], { encoding: 'utf8' })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('prot'),
    })
    writeFileSync(join(folder, 'monitor.yaml'), text('port'))
    expect(spawnSync(parsers(), ['kustomize', folder]).status).toBe(0)
  })

  test('every pod is confined, bounded and named by number', () => {
    expect(pods()).toHaveLength(3)
    for (const pod of pods()) {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      })
      const [container, ...others] = pod.containers
      expect(others).toEqual([])
      expect(container).toMatchObject({
        image: 'r.example.com:5000/pinstack:1.2.3',
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        resources: { limits: { memory: '512Mi' } },
      })
    }
  })

  test('what runs on is probed, and ends later than its requests', () => {
    for (const { spec } of of('Deployment')) {
      const [container] = spec.template.spec.containers
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) expect(container).toHaveProperty(`${probe}.httpGet`)
      const known = new Set(container.ports.map(({ name }: { name: string }) => name))
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) expect(known).toContain(container[probe].httpGet.port)
      expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(10 + 2)
    }
  })

  test('selectors meet the pods that they are for', () => {
    const labels = (name: string) => of('Deployment', name)[0].spec.template.metadata.labels
    const meets = (selector: Record<string, string>, name: string) =>
      Object.entries(selector).every(([key, value]) => labels(name)[key] === value)
    const [api] = of('Service', 'pinstack-api')
    expect([meets(api.spec.selector, 'pinstack-api'), meets(api.spec.selector, 'pinstack-worker')]).toEqual([true, false])
    const [metrics] = of('Service', 'pinstack-metrics')
    expect([meets(metrics.spec.selector, 'pinstack-api'), meets(metrics.spec.selector, 'pinstack-worker')]).toEqual([true, true])
    for (const name of ['pinstack-api', 'pinstack-worker']) {
      expect(meets(of('PodDisruptionBudget', name)[0].spec.selector.matchLabels, name)).toBe(true)
      expect(meets(of('NetworkPolicy')[0].spec.podSelector.matchLabels, name)).toBe(true)
    }
    const monitored = of('ServiceMonitor')[0].spec.selector.matchLabels
    expect(metrics.metadata.labels).toMatchObject(monitored)
    expect(api.metadata.labels).not.toMatchObject(monitored)
    expect(of('HorizontalPodAutoscaler')[0].spec.scaleTargetRef).toMatchObject({ kind: 'Deployment', name: 'pinstack-api' })
  })

  test('secrets are in the secret alone, and a changed one has a new name', () => {
    const text = (one: any) => JSON.stringify(one)
    const [secret] = of('Secret')
    expect(Buffer.from(secret.data.PINSTACK_DATABASE_URL, 'base64').toString()).toBe('postgres://u:p@db.example.com:6432/pinstack')
    for (const one of resources) if (one !== secret) expect(text(one)).not.toContain('u:p@')
    for (const pod of pods()) expect(pod.containers[0].envFrom).toContainEqual({ secretRef: { name: secret.metadata.name } })
    expect(secret.metadata.name).toMatch(/^pinstack-secrets-\w{10}$/)
  })

  test('processes reach names, Postgres, Redis and Kafka; the metrics are for the monitoring', () => {
    const [{ spec }] = of('NetworkPolicy')
    expect(spec.egress.flatMap(({ ports }: any) => ports.map(({ port }: any) => port))).toEqual([53, 53, 6432, 6379, 9092])
    const open = spec.ingress.filter(({ from }: any) => !from).flatMap(({ ports }: any) => ports.map(({ port }: any) => port))
    expect(open).toEqual(['http'])
  })

  test('without a domain there is no ingress, and without the operator no ServiceMonitor', () => {
    const kinds = build().map(({ kind }) => kind)
    expect(kinds).toContain('Deployment')
    expect(kinds).not.toContain('Ingress')
    expect(kinds).not.toContain('ServiceMonitor')
  })
})
