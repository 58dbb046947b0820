import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runInThisContext } from 'node:vm'
import { expect, it } from 'vitest'
import { certificate } from '../test/certificate.ts'
import { newDataDir, testConfig } from '../test/serve.ts'
import { diagnoseKafka } from './diagnosis/servers.ts'
import { openKafka } from './open-kafka.ts'

const warn = () => {}

it('without brokers there is no Kafka', async () => {
  expect(await openKafka(testConfig(), { warn })).toBeUndefined()
})

it('a file of TLS that is not what it is to be stops the start, with its name, and nothing of what is in it', async () => {
  const dir = newDataDir()
  const write = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  const { privateKey } = generateKeyPairSync('ed25519')
  const key = (options: object) => privateKey.export({ type: 'pkcs8', format: 'pem', ...options }) as string
  const files = {
    none: join(dir, 'none.pem'),
    words: write('words.pem', 'a certificate'),
    certificate: write('certificate.pem', certificate),
    key: write('key.pem', key({})),
    lockedKey: write('locked.pem', key({ cipher: 'aes-256-cbc', passphrase: 'hunter2' })),
  }
  const open = (tls: object) => openKafka(testConfig({ 'kafka.brokers': '127.0.0.1:1', 'kafka.tls.enabled': true, ...tls }), { warn })
  const pair = (certFile: string, keyFile: string) => open({ 'kafka.tls.certFile': certFile, 'kafka.tls.keyFile': keyFile })

  const cannotBeRead = `${files.none} cannot be read (ENOENT): correct kafka.tls.caFile, or let this user read the file.`
  const refused: [Promise<unknown>, string][] = [
    [open({ 'kafka.tls.caFile': files.none }), cannotBeRead],
    [open({ 'kafka.tls.caFile': files.words }), `${files.words} holds no certificate in PEM: correct kafka.tls.caFile.`],
    [pair(files.key, files.key), `${files.key} holds no certificate in PEM: correct kafka.tls.certFile.`],
    [pair(files.certificate, files.words), `${files.words} holds no key without a passphrase in PEM: correct kafka.tls.keyFile.`],
    [pair(files.certificate, files.lockedKey), `${files.lockedKey} holds no key without a passphrase in PEM: correct kafka.tls.keyFile.`],
    [
      pair(files.certificate, files.key),
      `${files.key} is not the key of ${files.certificate}: correct kafka.tls.keyFile or kafka.tls.certFile.`,
    ],
  ]
  for (const [opening, message] of refused) await expect(opening).rejects.toMatchObject({ name: 'StartError', message })
  await (await open({ 'kafka.tls.caFile': files.certificate }))!.close()

  const config = testConfig({ 'kafka.brokers': '127.0.0.1:1', 'kafka.tls.enabled': true, 'kafka.tls.caFile': files.none })
  expect(await diagnoseKafka(config)).toEqual([
    { check: 'kafka', status: 'wrong', found: cannotBeRead, fix: 'Until then no process with the role worker starts.' },
  ])
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
