/** Run by `npm run release:version`, when the packages have their new version: from now on this is what the last release promised. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../packages.ts'
import { writeBaseline } from './baseline.ts'
import { openapiDocument } from './compare-openapi.ts'
import { sdkDeclarations } from './declarations.ts'

const { version } = JSON.parse(readFileSync(join(root, 'packages/sdk/package.json'), 'utf8')) as { version: string }
writeBaseline({ version, openapi: openapiDocument(), sdk: sdkDeclarations() })
console.log(`release/ is what ${version} promises.`)
