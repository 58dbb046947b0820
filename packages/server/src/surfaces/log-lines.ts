import { writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

const batchBytes = 32 * 1024
const batchMs = 100
/** What a reader that has stopped reading may leave unread; then it costs lines, and not the server's memory. */
const waitingBytesMax = 16 * 1024 * 1024
const lastTriesMax = 100
const lastTryMs = 10

/**
 * Standard output for a busy log: lines are gathered for up to 100 ms and written in one go; what is left when the process ends
 * is written then, in its place.
 *
 * @NOTE pino's own stream can gather, too, but measures all that it has gathered at each line: 3 µs of a request's 20. And off
 * the event loop, by a thread, the last lines race the end of the process.
 */
export function gatheredOutput(fd = 1): DestinationStream {
  const batch = Buffer.allocUnsafeSlow(batchBytes)
  let used = 0
  const waiting: Buffer[] = [] // for the pipe to have room
  let waitingBytes = 0
  let timer: NodeJS.Timeout | undefined
  let isOpen = false

  function open(): void {
    isOpen = true // not before there is something to say: a silent logger leaves no trace in the process
    process.once('exit', () => {
      flush()
      for (let tries = 0; waiting.length > 0 && tries < lastTriesMax; tries++) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lastTryMs)
        flush()
      }
    })
  }

  function enqueue(bytes: Buffer): void {
    waiting.push(bytes)
    waitingBytes += bytes.length
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (used > 0) enqueue(Buffer.from(batch.subarray(0, used))) // a copy: the batch is written over
    used = 0
    while (waiting.length > 0) {
      const bytes = waiting[0]!
      const written = writtenOf(fd, bytes)
      waitingBytes -= written
      if (written < bytes.length) {
        waiting[0] = bytes.subarray(written)
        timer = setTimeout(flush, batchMs).unref()
        return
      }
      waiting.shift()
    }
  }

  return {
    write(line) {
      if (!isOpen) open()
      if (waitingBytes > waitingBytesMax) return
      const bytesMax = line.length * 3 // of UTF-8, for a unit of UTF-16
      if (bytesMax > batchBytes - used) flush()
      if (bytesMax > batchBytes) enqueue(Buffer.from(line))
      else used += batch.write(line, used)
      timer ??= setTimeout(flush, batchMs).unref()
    },
  }
}

/** How much of `bytes` is dealt with. All, where nobody reads any more: a log is no reason to stop. */
function writtenOf(fd: number, bytes: Buffer): number {
  let written = 0
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written)
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? written : bytes.length
    }
  }
  return written
}

let latestMs = 0
let latestText = ''

/** Now, as `2026-01-01T00:00:00.000Z`. A busy server logs many lines a millisecond. */
export function isoNow(): string {
  const nowMs = Date.now()
  if (nowMs !== latestMs) {
    latestMs = nowMs
    latestText = new Date(nowMs).toISOString()
  }
  return latestText
}
