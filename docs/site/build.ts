/** `npm run docs:build`: the site as files, without the network. A link that leads to nothing fails it. */
import { join } from 'node:path'
import { build } from 'vitepress'
import { faultsOf } from './faults.ts'
import { built, root, version } from './root.ts'
import { writePages } from './write-pages.ts'

process.chdir(join(root, 'docs')) // whose compiler options the bundler of the site knows
await writePages()
await build(join(root, 'docs'))
const faults = faultsOf(built, version())
for (const fault of faults) console.error(fault)
console.log(`${faults.length} faults in ${built}`)
if (faults.length > 0) process.exitCode = 1
