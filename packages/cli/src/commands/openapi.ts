import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@pinstack/server/config'
import type { Command } from 'commander'
import { print } from '../terminal.ts'

export function addOpenapiCommand(program: Command): void {
  program
    .command('openapi')
    .description('the OpenAPI document of the HTTP API')
    .addHelpText('after', '\nExample:\n  pinstack openapi > openapi.json')
    .action(printOpenapi)
}

/** Asks a server for it, one on an empty database of its own: what is printed is what is served, and no data is touched. */
async function printOpenapi(): Promise<void> {
  const { createServer } = await import('@pinstack/server')
  const dir = await mkdtemp(join(tmpdir(), 'pinstack-openapi-'))
  try {
    const { config } = loadConfig({ flags: { 'data.dir': dir, 'http.port': 0, 'metrics.port': 0, 'log.level': 'silent' } })
    const server = await createServer(config)
    try {
      const { apiUrl } = await server.listen()
      const response = await fetch(`${apiUrl}/api/v1/openapi.json`)
      print(JSON.stringify(await response.json(), null, 2))
    } finally {
      await server.close()
    }
  } finally {
    await rm(dir, { recursive: true })
  }
}
