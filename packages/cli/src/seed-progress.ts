import { say } from './terminal.ts'

export interface Progress {
  stage: string
  done: number
  total: number
}

export interface ShownProgress {
  show(progress: Progress): void
  stop(): void
}

/** Without a terminal there is a line for each tenth of a stage. */
const linesPerStage = 10

/** A bar that stays in its line on a terminal, lines elsewhere. Nothing for what was complete at the start. */
export async function showProgress({ stageChars = 8 } = {}): Promise<ShownProgress> {
  return process.stderr.isTTY ? bar(stageChars) : lines(stageChars)
}

function lines(stageChars: number): ShownProgress {
  let shown = ''
  return {
    show({ stage, done, total }) {
      const step = `${stage} ${total === 0 ? linesPerStage : Math.floor((done / total) * linesPerStage)}`
      if (step !== shown) say(`${stage.padEnd(stageChars)}${done} of ${total}`)
      shown = step
    },
    stop() {},
  }
}

async function bar(stageChars: number): Promise<ShownProgress> {
  const { SingleBar, Presets } = (await import('cli-progress')).default
  const format = '{stage} {bar} {percentage}%  {value} of {total}  {duration_formatted}'
  const bar = new SingleBar({ format, hideCursor: true, gracefulExit: true, stream: process.stderr, barsize: 30 }, Presets.shades_classic)
  let current: string | undefined
  return {
    show({ stage, done, total }) {
      const payload = { stage: stage.padEnd(stageChars) }
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
