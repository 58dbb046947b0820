/** What Grafana reads of a dashboard, as far as ours have it; `npm run test:monitoring` holds the result against Grafana's own schema. */

const prometheus = { type: 'prometheus', uid: 'prometheus' } // as grafana/provisioning/datasources names it

export type Unit = 'short' | 'reqps' | 'ops' | 's' | 'percentunit' | 'bytes'
/** A query in PromQL, and what a line of it is called. */
export type Query = readonly [expr: string, legend: string]
/** From which value on a colour holds; the first has none. */
export type Steps = readonly (readonly [color: 'green' | 'orange' | 'red', from: number | null])[]

interface PanelOptions {
  title: string
  /** One sentence: what it shows, and what to make of it. */
  about: string
  unit?: Unit
  /** Of 24 columns. */
  width?: number
}

export interface TimeSeries extends PanelOptions {
  queries: readonly Query[]
  isStacked?: boolean
  max?: number
}

export interface Stat extends PanelOptions {
  expr: string
  steps?: Steps
}

const columns = 24
const timeSeriesHeight = 8
const statHeight = 4

/** Lays panels out from left to right, row after row. */
export function createDashboard({ name, title, about }: { name: string; title: string; about: string }) {
  const panels: object[] = []
  let x = 0
  let y = 0
  let rowHeight = 0

  function place(w: number, h: number) {
    if (x + w > columns) endLine()
    const gridPos = { x, y, w, h }
    x += w
    rowHeight = Math.max(rowHeight, h)
    return { id: panels.length + 1, gridPos, datasource: prometheus }
  }
  function endLine(): void {
    y += rowHeight
    x = rowHeight = 0
  }

  const dashboard = {
    row(title: string) {
      endLine()
      const { id, gridPos } = place(columns, 1)
      panels.push({ id, type: 'row', title, collapsed: false, gridPos, panels: [] })
      endLine()
      return dashboard
    },
    timeSeries({ title, about, queries, unit = 'short', width = 8, isStacked = false, max }: TimeSeries) {
      const stacking = { mode: isStacked ? 'normal' : 'none', group: 'A' }
      const custom = { drawStyle: 'line', lineWidth: 1, fillOpacity: isStacked ? 20 : 8, showPoints: 'never', spanNulls: false, stacking }
      panels.push({
        type: 'timeseries',
        title,
        description: about,
        ...place(width, timeSeriesHeight),
        fieldConfig: { defaults: { unit, min: 0, noValue: '0', custom, ...(max !== undefined && { max }) }, overrides: [] },
        options: {
          legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
          tooltip: { mode: 'multi', sort: 'desc' },
        },
        targets: queries.map(([expr, legendFormat], index) => target(expr, { legendFormat, refId: refIdOf(index) })),
      })
      return dashboard
    },
    stat({ title, about, expr, unit = 'short', width = 4, steps = [['green', null]] }: Stat) {
      const thresholds = { mode: 'absolute', steps: steps.map(([color, value]) => ({ color, value })) }
      panels.push({
        type: 'stat',
        title,
        description: about,
        ...place(width, statHeight),
        fieldConfig: { defaults: { unit, noValue: '0', thresholds }, overrides: [] },
        options: {
          colorMode: 'background',
          graphMode: 'area',
          justifyMode: 'auto',
          orientation: 'auto',
          textMode: 'auto',
          wideLayout: true,
          showPercentChange: false,
          percentChangeColorMode: 'standard',
          reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        },
        targets: [target(expr, { legendFormat: '', refId: 'A' })],
      })
      return dashboard
    },
    /** One line for each series, as it is now; `names` are the headings of its labels. */
    table({ title, about, expr, names }: PanelOptions & { expr: string; names: Record<string, string> }) {
      panels.push({
        type: 'table',
        title,
        description: about,
        ...place(columns, timeSeriesHeight),
        fieldConfig: { defaults: { unit: 'short', noValue: '0' }, overrides: [] },
        options: { frameIndex: 0, showHeader: true, cellHeight: 'sm' },
        transformations: [{ id: 'organize', options: { excludeByName: { Time: true }, renameByName: names } }],
        targets: [{ ...target(expr, { legendFormat: '', refId: 'A' }), format: 'table', instant: true, range: false }],
      })
      return dashboard
    },
    /** The file of `name`. */
    json: () => `${JSON.stringify({ ...frame(name, { title, about }), panels }, null, 1)}\n`,
    name,
  }
  return dashboard
}

export type Dashboard = ReturnType<typeof createDashboard>

function refIdOf(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index)
}

function target(expr: string, { legendFormat, refId }: { legendFormat: string; refId: string }) {
  return { refId, datasource: prometheus, expr, legendFormat }
}

/** The variable `instance`, which every panel is narrowed by; the way to the other dashboards; a mark where a process has started. */
function frame(name: string, { title, about }: { title: string; about: string }) {
  const instances = 'label_values(pinstack_build_info, instance)'
  return {
    uid: `pinstack-${name}`,
    title: `Pinstack: ${title}`,
    description: about,
    tags: ['pinstack'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'Pinstack',
        tags: ['pinstack'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
        icon: 'external link',
        tooltip: '',
        url: '',
      },
    ],
    annotations: {
      list: [
        {
          name: 'Starts',
          datasource: prometheus,
          enable: true,
          hide: false,
          iconColor: 'blue',
          expr: 'changes(pinstack_process_start_time_seconds{instance=~"$instance"}[1m]) > 0',
        },
      ],
    },
    templating: {
      list: [
        {
          name: 'instance',
          label: 'Process',
          type: 'query',
          datasource: prometheus,
          query: { query: instances, refId: 'instance' },
          definition: instances,
          refresh: 2,
          sort: 1,
          multi: true,
          includeAll: true,
          allValue: '.*',
          current: { text: 'All', value: '$__all' },
          hide: 0,
        },
      ],
    },
  }
}
