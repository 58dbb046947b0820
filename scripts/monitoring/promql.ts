/** The few forms that the queries of the dashboards have. Each is narrowed to the processes that the reader has chosen. */

const window = '[$__rate_interval]'

/** `pinstack_NAME{instance=~"$instance",MATCHERS}` */
export function of(name: string, matchers = ''): string {
  return `pinstack_${name}{instance=~"$instance"${matchers && `,${matchers}`}}`
}

/** How much a counter grows in a second, over all processes, by labels. */
export function rate(counter: string, { by = '', where = '' } = {}): string {
  return `sum${by && ` by (${by})`} (rate(${of(counter, where)}${window}))`
}

export function share(part: string, whole: string): string {
  return `${part} / ${whole}`
}

/** How long the quickest `quantile` of what a histogram has seen took, at the most. */
export function quantile(quantile: number, histogram: string, { by = '', where = '' } = {}): string {
  return `histogram_quantile(${quantile}, sum by (le${by && `, ${by}`}) (rate(${of(`${histogram}_bucket`, where)}${window})))`
}

/** The same number in every process, since it is the database's. */
export function shared(gauge: string, { by = '', where = '' } = {}): string {
  return `max${by && ` by (${by})`} (${of(gauge, where)})`
}

/** Median, p95 and p99, as the lines of a panel. */
export function quantiles(histogram: string, { where = '' } = {}): readonly (readonly [expr: string, legend: string])[] {
  return [0.5, 0.95, 0.99].map((each) => [quantile(each, histogram, { where }), `p${each * 100}`] as const)
}
