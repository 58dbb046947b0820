import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Of Linux on all machines that matter (sysconf(_SC_CLK_TCK)). */
const ticksPerSecond = 100
const listening = '0A'

interface Times {
  parent: number
  /** Its own, and that of the children which it has outlived. */
  seconds: number
}

/** CPU seconds of a process and of all that it has started. Linux only. */
export function cpuSecondsOf(root: number): number {
  const all = new Map(processIds().flatMap((id) => timesOf(id)))
  const sumOf = (id: number): number =>
    [...all].reduce((sum, [child, { parent }]) => (parent === id ? sum + sumOf(child) : sum), all.get(id)?.seconds ?? 0)
  return sumOf(root)
}

/** Who listens on `port` of this machine. */
export function listenerOn(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const lines = ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/net/${table}`, 'utf8').trim().split('\n').slice(1))
  const inodes = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local!.endsWith(`:${hex}`) && state === listening)
    .map((fields) => `socket:[${fields[9]}]`)
  const found = processIds().find((id) => socketsOf(id).some((socket) => inodes.includes(socket)))
  if (found === undefined) throw new Error(`nobody listens on port ${port}`)
  return found
}

const processIds = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

function timesOf(id: number): [number, Times][] {
  try {
    const fields = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1)!.split(' ').map(Number) // from the third on, see proc(5)
    const ticks = fields[11]! + fields[12]! + fields[13]! + fields[14]!
    return [[id, { parent: fields[1]!, seconds: ticks / ticksPerSecond }]]
  } catch {
    return [] // it has just ended
  }
}

function socketsOf(id: number): string[] {
  try {
    return readdirSync(`/proc/${id}/fd`).map((fd) => readlinkSync(`/proc/${id}/fd/${fd}`))
  } catch {
    return []
  }
}
