import * as z from 'zod'
import type { App } from '../../packages/server/src/compose.ts'
import { createRouter } from '../../packages/server/src/router.ts'
import { boundsOf, cell, membersOf, typeOf, type Schema } from './json-schema.ts'
import type { Write } from './write-pages.ts'

interface Procedure {
  _def: { type: string; inputs: z.ZodType[]; middlewares: unknown[] }
}

const who = ['anyone', 'a signed-in user', 'admins'] as const

/** Every procedure, as the router has it. What they answer has types in TypeScript, and none when it runs. */
export function writeTrpcReference(write: Write): void {
  const { procedures } = createRouter(anyApp)._def as unknown as { procedures: Record<string, Procedure> }
  const byRouter = Map.groupBy(Object.entries(procedures), ([name]) => name.split('.', 1)[0]!)
  const parts = [...byRouter].map(([router, ofRouter]) => `## ${router}\n\n${ofRouter.map(describe).join('\n')}`)
  write('reference/trpc.md', `# tRPC reference\n\nWhat holds for all of them is on [the page about tRPC](/trpc).\n\n${parts.join('\n')}`)
}

function describe([name, { _def }]: [string, Procedure]): string {
  const { type, inputs, middlewares } = _def
  // Besides one for each input and one for the procedure itself, what is left looks at who asks.
  const allowed = who[middlewares.length - inputs.length - 1] ?? 'some'
  const schema = inputs.length === 0 ? undefined : (z.toJSONSchema(inputs[0]!, { io: 'input', unrepresentable: 'any' }) as Schema)
  const rows = membersOf(schema).map(([member, of]) => {
    const notes = [...(schema!.required?.includes(member) ? ['required'] : []), ...boundsOf(of)]
    return `| \`${member}\` | ${typeOf(of, () => '')} | ${cell(notes.join(', '))} |`
  })
  const table = rows.length > 0 ? `\n| input | type | |\n| --- | --- | --- |\n${rows.join('\n')}\n` : ''
  return `### ${name}\n\nA ${type}, for ${allowed}.\n${table}`
}

/** The router is only looked at: nothing in it is called. */
const anyApp: App = new Proxy((() => undefined) as unknown as App, { get: () => anyApp })
