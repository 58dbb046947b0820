import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseDocument } from 'yaml'
import { root } from '../packages.ts'
import { dashboards } from './dashboards.ts'
import { alertExpressions, alerts, dashboardExpressions, familiesOf, missingServer, rulesFile, type Drawn } from './expressions.ts'
import { go, promtool, python, run, withTools } from './tools.ts'
import { writeDashboards } from './write-dashboards.ts'

const folder = join(root, 'docker/monitoring')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const expressions = [...dashboardExpressions(), ...alertExpressions()]

describe('alerts', () => {
  it('have a section in docs/operations.md each, and docs/operations.md has no other; their runbook is a link to it', () => {
    const documented = [...read('docs/operations.md').matchAll(/^### (Pinstack\w+)$/gm)].map(([, name]) => name)
    expect(documented.toSorted()).toEqual(
      alerts()
        .map(({ alert }) => alert)
        .toSorted(),
    )
    for (const { alert, annotations } of alerts())
      expect(annotations.runbook_url).toBe(`https://github.com/pinstack/pinstack/blob/main/docs/operations.md#${alert.toLowerCase()}`)
  })

  it('say how bad it is, and in a sentence what', () => {
    for (const { alert, labels, annotations } of alerts()) {
      expect(['critical', 'warning', 'info'], alert).toContain(labels.severity)
      expect(annotations.summary, alert).toMatch(/[.]$/)
    }
  })

  it('have a test each, in which they are quiet and in which they fire', () => {
    const tested = globSync('prometheus/rules/tests/*.yml', { cwd: folder }).flatMap((file) => {
      const { tests } = parse(readFileSync(join(folder, file), 'utf8')) as { tests: { alert_rule_test: RuleTest[] }[] }
      return tests.flatMap(({ alert_rule_test }) => alert_rule_test)
    })
    for (const { alert } of alerts()) {
      const counts = tested.filter(({ alertname }) => alertname === alert).map(({ exp_alerts }) => exp_alerts.length)
      expect([alert, counts.includes(0), Math.max(...counts) > 0]).toEqual([alert, true, true])
    }
  })

  const rules = withTools('are what promtool takes, and do what their tests say', [promtool])
  it.skipIf(rules.skip)(rules.title, () => {
    expect(run('promtool', ['check', 'rules', rulesFile])).toContain(`${alerts().length} rules found`)
    expect(run('promtool', ['check', 'config', join(folder, 'prometheus/prometheus.yml')])).toContain('1 rule files found')
    const files = globSync(join(folder, 'prometheus/rules/tests/*.yml'))
    expect(files.length).toBeGreaterThan(3)
    expect(run('promtool', ['test', 'rules', ...files]).match(/SUCCESS/g)).toHaveLength(files.length)
  })
})

interface RuleTest {
  alertname: string
  exp_alerts: unknown[]
}

describe('dashboards', () => {
  const drawn = dashboards().map(({ json }) => JSON.parse(json()) as Drawn)

  it('are one for the whole, and one for each area', () => {
    expect(
      dashboards()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['accounts', 'cache', 'database', 'events', 'http', 'notifications', 'overview', 'posts', 'process', 'relations'])
    expect(new Set(drawn.map(({ uid }) => uid)).size).toBe(drawn.length)
  })

  it('explain each panel, and draw no two in one place', () => {
    for (const { uid, panels } of drawn) {
      const taken = new Set<string>()
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
      for (const { type, title, description, gridPos, targets } of panels) {
        const { x, y, w, h } = gridPos
        expect(x + w, `${uid}, ${title}`).toBeLessThanOrEqual(24)
        for (let row = y; row < y + h; row++)
          for (let column = x; column < x + w; column++) {
            expect(taken.has(`${row} ${column}`), `${uid}, ${title} at ${row}, ${column}`).toBe(false)
            taken.add(`${row} ${column}`)
          }
        if (type === 'row') continue
        expect(description, `${uid}, ${title}`).toMatch(/[.]$/)
        expect(targets!.length, `${uid}, ${title}`).toBeGreaterThan(0)
      }
    }
  })

  it('lie where Grafana is told to look for them', () => {
    writeDashboards()
    const written = globSync('grafana/dashboards/*.json', { cwd: folder })
    expect(written).toHaveLength(drawn.length)
    const provider = parse(read('docker/monitoring/grafana/provisioning/dashboards/pinstack.yml')).providers[0]
    expect(provider.options.path).toBe('/etc/grafana/dashboards')
    const sources = parse(read('docker/monitoring/grafana/provisioning/datasources/pinstack.yml')).datasources as { uid: string }[]
    expect(sources.map(({ uid }) => uid)).toEqual(['prometheus', 'loki', 'tempo'])
  })

  const schema = withTools('are what the schema of Grafana takes, to the last member', [go])
  it.skipIf(schema.skip)(schema.title, { timeout: 300_000 }, () => {
    writeDashboards()
    const files = globSync(join(folder, 'grafana/dashboards/*.json'))
    const parsers = join(root, 'scripts/monitoring/parsers')
    run('go', ['run', '.', ...files], { cwd: parsers })
  })
})

describe('expressions', () => {
  it('name families and labels that docs/metrics.md lists', () => {
    const rows = [...read('docs/metrics.md').matchAll(/^\| `(pinstack_\w+)` \| (\w+) \| (.*?) \|/gm)]
    const labelsOf = new Map(rows.map(([, name, , labels]) => [name!, [...labels!.matchAll(/\w+/g)].map(([label]) => label)]))
    const everywhere = ['instance', 'job', 'le']
    for (const expression of expressions) {
      if (missingServer(expression)) continue
      const { where, text } = expression
      const names = familiesOf(text).map((name) => (labelsOf.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')))
      for (const name of names) expect(labelsOf.has(name), `${where}: ${name}`).toBe(true)
      const known = new Set([...everywhere, 'alertstate', ...names.flatMap((name) => labelsOf.get(name)!)])
      const grouped = [...text.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(', '))
      const matched = [...text.matchAll(/[{,](\w+)(?:=~|=|!=)"/g)].map(([, label]) => label!)
      for (const label of [...grouped, ...matched]) expect(known.has(label), `${where}: ${label}`).toBe(true)
    }
    expect(expressions.length).toBeGreaterThan(100)
  })
})

describe('the other programs', () => {
  it('get files that are YAML', () => {
    const files = globSync(['**/*.yml', '**/*.yaml'], { cwd: folder })
    expect(files.length).toBeGreaterThan(8)
    for (const file of files) {
      const { errors, warnings } = parseDocument(readFileSync(join(folder, file), 'utf8'), { uniqueKeys: true, strict: true })
      expect([file, errors, warnings]).toEqual([file, [], []])
    }
  })

  const pipeline = withTools('get a pipeline that a parser of the language of Logstash takes', [python])
  it.skipIf(pipeline.skip)(pipeline.title, { timeout: 120_000 }, () => {
    const environment = mkdtempSync(join(tmpdir(), 'pinstack-python-'))
    try {
      run('python3', ['-m', 'venv', environment])
      const python = join(environment, 'bin/python')
      run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'logstash-pipeline-parser==0.0.3'])
      const program = 'import sys; from logstash_pipeline_parser import Pipeline; Pipeline(sys.stdin.read()).parse()'
      const parsed = (text: string) => run('sh', ['-c', `"$1" -c '${program}' <<'END'\n${text}\nEND`, 'sh', python])
      parsed(read('docker/monitoring/elk/logstash.conf'))
      expect(() => parsed(read('docker/monitoring/elk/logstash.conf').replace('mutate {', 'mutate {{'))).toThrow('ParseE')
    } finally {
      rmSync(environment, { recursive: true, force: true })
    }
  })
})
