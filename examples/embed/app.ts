// A Fastify application of one's own with Pinstack inside, under /social, on the same port.
import { createServer } from '@pinstack/server'
import { loadConfig } from '@pinstack/server/config'
import Fastify from 'fastify'
import { like } from './like.ts'

export async function createApp() {
  const { config } = loadConfig({ env: process.env })
  const pinstack = await createServer(config, {
    features: [like],
    hooks: {
      'auth.register': {
        after: ({ result, logger }) => logger.info({ user_id: result.userId }, 'welcome'),
      },
    },
  })

  const app = Fastify({ requestTimeout: 30_000 })
  app.get('/hello', async (request) => {
    const viewer = await pinstack.viewer(request.headers.authorization)
    const user = await pinstack.app.users.byId(viewer.id, viewer)
    return { hello: user.username }
  })
  app.get<{ Params: { id: string } }>('/likes/:id', (request) => pinstack.features.like.count(Number(request.params.id)))
  await pinstack.mount(app, { prefix: '/social' })
  return { app, pinstack }
}

/** What `createPinstack<Pinstack>()` of the SDK knows the feature by. A type: a client imports nothing of this when it runs. */
export type Pinstack = Awaited<ReturnType<typeof createApp>>['pinstack']
