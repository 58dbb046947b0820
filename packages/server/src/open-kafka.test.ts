import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runInThisContext } from 'node:vm'
import { expect, it } from 'vitest'
import { newDataDir, testConfig } from '../test/serve.ts'
import { openKafka } from './open-kafka.ts'

const warn = () => {}

it('without brokers there is no Kafka', async () => {
  expect(await openKafka(testConfig(), { warn })).toBeUndefined()
})

it('a file of TLS that cannot be read stops the start, with its name', async () => {
  const dir = newDataDir()
  const tls = (file: string) =>
    testConfig({ 'kafka.brokers': '127.0.0.1:1', 'kafka.tls.enabled': true, 'kafka.tls.caFile': join(dir, file) })
  await expect(openKafka(tls('none.pem'), { warn })).rejects.toThrow(
    `${join(dir, 'none.pem')} cannot be read (ENOENT): correct kafka.tls.caFile, or let this user read the file.`,
  )
  writeFileSync(join(dir, 'ca.pem'), 'a certificate')
  await (await openKafka(tls('ca.pem'), { warn }))!.close()
})

it('one that is away holds up neither the start nor the end, and what it is asked fails', async () => {
  const warnings: string[] = []
  const kafka = (await openKafka(testConfig({ 'kafka.brokers': '127.0.0.1:1' }), { warn: (message) => void warnings.push(message) }))!
  await kafka.subscribe('group', ['follow_created'], async () => {})
  await expect(
    kafka.publish([{ id: '1', type: 'follow_created', key: 1, payload: {}, createdAt: '2026-01-01T00:00:00.000Z' }]),
  ).rejects.toThrow()
  await expect(kafka.lag('group')).rejects.toThrow()
  await expect(kafka.ping()).rejects.toThrow()
  await kafka.close()
  expect(warnings.length).toBeGreaterThan(0)
  expect(warnings.length).toBeLessThan(10)
})

it('of the warnings of the process only that of the client is dropped: its timers in the past', async () => {
  await (await openKafka(testConfig({ 'kafka.brokers': '127.0.0.1:1' }), { warn }))!.close()
  const heard: string[] = []
  const listen = ({ name, message }: Error) => void heard.push(`${name} ${message.split(' ')[0]}`)
  process.on('warning', listen)
  const warnFrom = (filename: string) =>
    runInThisContext('(...args) => process.emitWarning(...args)', { filename }) as typeof process.emitWarning
  warnFrom('/app/node_modules/kafkajs/src/queue.js')('-1 is negative', 'TimeoutNegativeWarning')
  warnFrom('/app/node_modules/kafkajs/src/queue.js')('-2 is negative', 'AnotherWarning')
  warnFrom('/app/main.js')('-3 is negative', 'TimeoutNegativeWarning')
  await sleep(10)
  process.off('warning', listen)
  expect(heard).toEqual(['AnotherWarning -2', 'TimeoutNegativeWarning -3'])
})
