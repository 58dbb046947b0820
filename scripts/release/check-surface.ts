/** Holds what others rely on, the REST API and the SDK's types, against the last release: what breaks them has to be announced. */
import { join } from 'node:path'
import { readChangesets } from '@changesets/read'
import { root } from '../packages.ts'
import { skippedCode } from '../skipped-code.ts'
import { announced } from './announced.ts'
import { readBaseline } from './baseline.ts'
import { compareOpenapi, NoGo, openapiDocument } from './compare-openapi.ts'
import { compareTypes } from './compare-types.ts'
import { sdkDeclarations } from './declarations.ts'

const last = readBaseline()
const changesets = await readChangesets(root)

report('@pinstack/sdk', 'the SDK’s types', compareTypes(last.sdk, sdkDeclarations(), join(root, 'packages/sdk')))
try {
  report('@pinstack/server', 'the REST API', compareOpenapi(last.openapi, openapiDocument()))
} catch (error) {
  if (!(error instanceof NoGo) || process.env.CI) throw error
  console.log(error.message)
  process.exitCode ??= skippedCode
}

function report(name: string, what: string, found: string[]): void {
  if (found.length === 0) return
  const isAnnounced = announced(changesets, { name, version: last.version })
  console.log(
    `Against ${last.version}, ${what} ${isAnnounced ? 'break, as a changeset says' : 'break'}:\n${found.map((one) => `  ${one}`).join('\n')}`,
  )
  if (isAnnounced) return
  console.log(
    `If that is meant, \`npm run changeset\` with a ${last.version.startsWith('0.') ? 'minor' : 'major'} change of ${name}, ` +
      'and a line in it that begins with `Breaking:` and says what users do instead (docs/releases.md).',
  )
  process.exitCode = 1
}
