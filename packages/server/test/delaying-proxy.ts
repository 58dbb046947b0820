import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface DelayingProxy {
  /** The server's, by way of this. */
  url: string
  /** How long what the server answers is held back; for ever, where it is `Infinity`: then it is never said. */
  delayMs: number
  close(): void
}

/** Stands before the server of `url`, and is slow: each answer comes `delayMs` later, in order. */
export async function delayingProxy(url: string): Promise<DelayingProxy> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    client.on('data', (chunk) => upstream.write(chunk))
    let before = Promise.resolve()
    upstream.on('data', (chunk) => {
      if (proxy.delayMs === Number.POSITIVE_INFINITY) return
      const due = sleep(proxy.delayMs)
      before = before.then(() => due).then(() => void client.write(chunk))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: DelayingProxy = {
    url: Object.assign(new URL(url), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` }).href,
    delayMs: 0,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  return proxy
}
