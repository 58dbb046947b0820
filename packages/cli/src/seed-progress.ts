import type { SeedProgress } from '@pinstack/server/seed'
import { say } from './terminal.ts'

export interface ShownProgress {
  show(progress: SeedProgress): void
  stop(): void
}

/** Without a terminal there is a line for each tenth of a stage. */
const linesPerStage = 10

/** A bar that stays in its line on a terminal, lines elsewhere. Nothing for what was complete at the start. */
export async function showProgress(): Promise<ShownProgress> {
  return process.stderr.isTTY ? bar() : lines()
}

function lines(): ShownProgress {
  let shown = ''
  return {
    show({ stage, done, total }) {
      const step = `${stage} ${total === 0 ? linesPerStage : Math.floor((done / total) * linesPerStage)}`
      if (step !== shown) say(`${stage.padEnd(8)}${done} of ${total}`)
      shown = step
    },
    stop() {},
  }
}

async function bar(): Promise<ShownProgress> {
  const { SingleBar, Presets } = (await import('cli-progress')).default
  const format = '{stage} {bar} {percentage}%  {value} of {total}  {duration_formatted}'
  const bar = new SingleBar({ format, hideCursor: true, gracefulExit: true, stream: process.stderr, barsize: 30 }, Presets.shades_classic)
  let current: string | undefined
  return {
    show({ stage, done, total }) {
      const payload = { stage: stage.padEnd(8) }
      if (stage === current) return bar.update(done, payload)
      if (current !== undefined) finish()
      current = stage
      bar.start(total, done, payload)
    },
    stop: () => current !== undefined && finish(),
  }

  function finish() {
    bar.stop()
  }
}
