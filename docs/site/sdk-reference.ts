import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application, type TypeDocOptions } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'
import { root } from './root.ts'

interface Manifest {
  exports: Record<string, string | Record<string, string>>
}

const sdk = join(root, 'packages/sdk')

/** What the package exports, from its own doc comments. An entry that the package gains is here by itself. */
export async function writeSdkReference(folder: string): Promise<void> {
  const { exports } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8')) as Manifest
  const entryPoints = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [] : [join(sdk, target['@pinstack/source']!)],
  )
  const options: Partial<TypeDocOptions & PluginOptions> = {
    out: folder,
    entryPoints,
    tsconfig: join(sdk, 'tsconfig.json'),
    plugin: ['typedoc-plugin-markdown'],
    name: '@pinstack/sdk',
    readme: 'none',
    skipErrorChecking: true, // `npm run check` has TypeScript 7 look at them
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    logLevel: 'Error',
    router: 'member',
    entryFileName: 'index',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    parametersFormat: 'table',
    propertiesFormat: 'table',
    interfacePropertiesFormat: 'table',
    useCodeBlocks: true,
    expandObjects: true,
  }
  const app = await Application.bootstrapWithPlugins(options)
  const project = await app.convert()
  if (!project) throw new Error('The sources of the SDK could not be read')
  await app.generateOutputs(project)
  if (app.logger.hasErrors()) throw new Error('The reference of the SDK could not be written')
}
