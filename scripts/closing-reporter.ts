import type { Reporter, SerializedError, TestCase, TestModule, TestRunEndReason, TestSuite } from 'vitest/node'

const engines = ['sqlite', 'postgres'] as const

/**
 * Closes a run with plain lines: what ran on which engine, what was skipped and why, and last of all
 * `N passed, N failed, N skipped`. The reason of a skip is what follows ` — ` in the title of the test or of a suite around it.
 */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], reason: TestRunEndReason): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const broken = modules.flatMap((module) => [module, ...module.children.allSuites()]).filter((part) => part.errors().length > 0).length
    const failed = count(tests, 'failed') + broken + errors.length
    const passed = count(tests, 'passed')
    const skipped = tests.filter((test) => !['passed', 'failed'].includes(test.result().state))
    const lines = [...engineLines(tests), ...skipLines(skipped)]
    if (reason === 'interrupted') lines.push('The run was interrupted.')
    // @NOTE at exit, since other reporters and the global teardown still print after this
    process.once('exit', () =>
      process.stdout.write(`\n${lines.join('\n')}\n${passed} passed, ${failed} failed, ${skipped.length} skipped\n`),
    )
  }
}

function engineLines(tests: readonly TestCase[]): string[] {
  const onEngine = (engine: string) => tests.filter((test) => test.fullName.includes(`[${engine}]`))
  const lines = engines.map((engine) => tally(`on ${engine}`, onEngine(engine)))
  return [
    ...lines,
    tally(
      'without a database',
      tests.filter((test) => !engines.some((engine) => test.fullName.includes(`[${engine}]`))),
    ),
  ]
}

function tally(title: string, tests: readonly TestCase[]): string {
  const skipped = tests.length - count(tests, 'passed') - count(tests, 'failed')
  return `${title}: ${count(tests, 'passed')} passed, ${count(tests, 'failed')} failed, ${skipped} skipped`
}

function skipLines(skipped: readonly TestCase[]): string[] {
  const byReason = Map.groupBy(skipped, reasonOf)
  return [...byReason].map(([reason, tests]) => {
    const first = `${tests[0]!.module.relativeModuleId} > ${tests[0]!.fullName}`
    return `skipped ${tests.length}: ${reason} (${tests.length === 1 ? first : `${first} and ${tests.length - 1} more`})`
  })
}

function reasonOf(test: TestCase): string {
  const result = test.result()
  if (result.state === 'skipped' && result.note) return result.note
  const around: (TestModule | TestSuite)[] = [test.parent]
  while (around[0]!.type === 'suite') around.unshift(around[0]!.parent)
  if (around.some((part) => part.errors().length > 0)) return 'what comes before it failed'
  const titles = [test.name, ...around.flatMap((part) => (part.type === 'suite' ? [part.name] : []))]
  const reasoned = titles.find((title) => title.includes(' — '))
  if (reasoned) return reasoned.slice(reasoned.lastIndexOf(' — ') + 3)
  return result.state === 'pending' ? 'not reached' : 'no reason given'
}

function count(tests: readonly TestCase[], state: 'passed' | 'failed'): number {
  return tests.filter((test) => test.result().state === state).length
}
