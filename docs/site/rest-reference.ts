import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { boundsOf, cell, membersOf, typeOf, type Schema } from './json-schema.ts'
import { root } from './root.ts'
import type { Write } from './write-pages.ts'

interface Content {
  content?: Record<string, { schema: Schema }>
}
interface Operation {
  tags: string[]
  summary: string
  description?: string
  security?: object[]
  parameters: { in: string; name: string; required: boolean; description?: string; schema: Schema }[]
  requestBody?: Content
  responses: Record<string, Content & { description: string }>
}
/** As much of an OpenAPI 3.1 document as ours has. */
export interface OpenApi {
  info: { version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

/** The document, as a server of this checkout serves it. */
export async function openApiDocument(): Promise<OpenApi> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@pinstack/source', '--disable-warning=ExperimentalWarning', join(root, 'packages/cli/src/main.ts'), 'openapi'],
    { maxBuffer: 64 * 2 ** 20 },
  )
  return JSON.parse(stdout) as OpenApi
}

/** Every route, by what it is about, and every object that they speak of. */
export async function writeRestReference(write: Write): Promise<void> {
  const document = await openApiDocument()
  const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  const byTag = Map.groupBy(routes, ({ operation }) => operation.tags[0]!)
  for (const [tag, ofTag] of byTag)
    write(`reference/rest/${tag}.md`, `# REST: ${tag}\n\n${ofTag.map((route) => describe(route)).join('\n')}`)
  write('reference/rest/objects.md', `# REST: objects\n\n${Object.entries(document.components.schemas).map(describeObject).join('\n')}`)
  write('reference/rest/index.md', overview(byTag))
}

interface Route {
  method: string
  path: string
  operation: Operation
}

function overview(byTag: Map<string, Route[]>): string {
  const parts = [...byTag].map(([tag, routes]) => {
    const rows = routes.map(
      ({ method, path, operation }) =>
        `| [\`${method} ${path}\`](/reference/rest/${tag}#${anchor(method, path)}) | ${cell(operation.summary)} |`,
    )
    return `## ${tag}\n\n| route | does |\n| --- | --- |\n${rows.join('\n')}\n`
  })
  return `# REST reference\n\nFrom the OpenAPI document of the server. What holds for all routes is on [the page about REST](/rest).\n\n${parts.join('\n')}`
}

function describe({ method, path, operation }: Route): string {
  const { summary, description, security, parameters, requestBody, responses } = operation
  const token = !security ? 'No token.' : security.length > 1 ? 'With or without a token.' : 'Needs a token.'
  const inputs = parameters.map(({ in: place, name, required, description: about, schema }) =>
    row(name, { place: place === 'path' ? 'path' : place, required, schema, about }),
  )
  const body = requestBody?.content?.['application/json']?.schema
  inputs.push(...membersOf(body).map(([name, schema]) => row(name, { place: 'body', required: body!.required?.includes(name), schema })))
  const answers = Object.entries(responses).map(
    ([status, response]) => `| ${status} | ${cell(response.description.replaceAll('  \n', '<br>'))}${resultOf(response)} |`,
  )
  return [
    `## ${method} ${path} {#${anchor(method, path)}}\n`,
    `${sentence(summary)} ${token}\n`,
    ...(description ? [`${description}\n`] : []),
    ...(inputs.length > 0 ? ['| input | in | type | |', '| --- | --- | --- | --- |', ...inputs, ''] : []),
    '| status | answer |',
    '| --- | --- |',
    ...answers,
    '',
  ].join('\n')
}

function describeObject([name, schema]: [string, Schema]): string {
  const rows = membersOf(schema).map(
    ([member, of]) => `| \`${member}\` | ${typeOf(of, link)} | ${schema.required?.includes(member) ? 'always' : 'where it has a value'} |`,
  )
  return `## ${name}\n\n${schema.description ? `${schema.description}\n\n` : ''}| member | type | there |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

interface Input {
  place: string
  required?: boolean | undefined
  schema: Schema
  about?: string | undefined
}

function row(name: string, { place, required, schema, about }: Input): string {
  const notes = [required ? 'required' : '', ...boundsOf(schema), about ? sentence(about) : '']
  return `| \`${name}\` | ${place} | ${typeOf(schema, link)} | ${cell(notes.filter(Boolean).join(', '))} |`
}

function resultOf({ content }: Content): string {
  const data = content?.['application/json']?.schema.properties?.data
  return data
    ? ` \`data\`: ${
        data.properties
          ? membersOf(data)
              .map(([name, schema]) => `\`${name}\` (${typeOf(schema, link)})`)
              .join(', ')
          : typeOf(data, link)
      }`
    : ''
}

function anchor(method: string, path: string): string {
  return `${method}-${path.replace('/api/v1/', '')}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '')
}

const link = (name: string) => `/reference/rest/objects#${name.toLowerCase()}`
const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)
