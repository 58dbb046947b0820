import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from '../packages.ts'
import { dashboards } from './dashboards.ts'

export interface Expression {
  /** `overview, Requests` or the name of an alert. */
  where: string
  /** As Prometheus is asked, without what it is compared with. */
  text: string
}

export interface Alert {
  alert: string
  expr: string
  for?: string
  labels: { severity: string }
  annotations: { summary: string; runbook_url: string }
}

/**
 * What only another server gives values to: a piece of an expression, and the variable that names such a server. Expressions with
 * one of them are evaluated when that server is there.
 */
const needsServer: Readonly<Record<string, 'TEST_REDIS_URL' | 'TEST_KAFKA_BROKERS'>> = {
  pinstack_breaker_state: 'TEST_REDIS_URL',
  pinstack_dependency_failures_total: 'TEST_REDIS_URL',
  'bus="kafka"': 'TEST_KAFKA_BROKERS',
  pinstack_relay_leader: 'TEST_KAFKA_BROKERS',
}

/** The variable that an expression waits for; undefined for one that can be evaluated as it is. */
export function missingServer({ text }: Expression): string | undefined {
  return Object.entries(needsServer).find(([piece, variable]) => text.includes(piece) && !process.env[variable])?.[1]
}

export const rulesFile = join(root, 'docker/monitoring/prometheus/rules/pinstack.yml')

export function alerts(): Alert[] {
  const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: Alert[] }[] }
  return groups.flatMap(({ rules }) => rules)
}

const comparison = /\n(==|!=|>=|<=|>|<) -?[\d.]+$/

/** Throws for an alert that compares nothing: then there is nothing of it that has a value while all is well. */
export function alertExpressions(): Expression[] {
  return alerts().flatMap(({ alert, expr }) =>
    expr.split('\nand\n').map((part) => {
      if (!comparison.test(part)) throw new Error(`${alert} has no comparison in a line of its own`)
      return { where: alert, text: part.replace(comparison, '') }
    }),
  )
}

export function dashboardExpressions(): Expression[] {
  return dashboards().flatMap(({ name, json }) => {
    const { panels, annotations } = JSON.parse(json()) as Drawn
    const shown = panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ where: `${name}, ${title}`, text: filledIn(expr) })),
    )
    const marks = annotations.list.map(({ name: mark, expr }) => ({ where: `${name}, ${mark}`, text: filledIn(expr).replace(/ > 0$/, '') }))
    return [...shown, ...marks]
  })
}

/** As Grafana fills it in for all processes, and for a scrape each second. */
function filledIn(expr: string): string {
  return expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m')
}

export interface Drawn {
  uid: string
  title: string
  panels: {
    id: number
    type: string
    title: string
    description?: string
    gridPos: { x: number; y: number; w: number; h: number }
    targets?: { expr: string; legendFormat: string }[]
  }[]
  annotations: { list: { name: string; expr: string }[] }
}

/** Families that an expression names, without the endings of a histogram's series. */
export function familiesOf(text: string): string[] {
  return [...text.matchAll(/\bpinstack_\w+/g)].map(([name]) => name)
}
