import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { httpFailures, sendFailure } from './envelope.ts'

/**
 * Answers what no route has taken, in the envelope. Fastify knows no 405: the path is held against the paths of all routes that
 * are registered from now on.
 */
export function answerUnknownPaths(server: FastifyInstance): (request: FastifyRequest, reply: FastifyReply) => void {
  const known: { methods: string[]; pattern: RegExp }[] = []
  server.addHook('onRoute', ({ method, url }) => {
    if (!url.includes('*')) known.push({ methods: [method].flat(), pattern: patternOf(url) })
  })

  function answer(request: FastifyRequest, reply: FastifyReply): void {
    const path = request.url.split('?', 1)[0]!
    const allowed = new Set(known.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))
    if (allowed.size === 0) sendFailure(reply, httpFailures[404])
    else sendFailure(reply.header('allow', [...allowed].join(', ')), httpFailures[405])
  }
  server.setNotFoundHandler(answer)
  return answer
}

/** `/note/:id` → one segment that is not empty. */
function patternOf(url: string): RegExp {
  return new RegExp(`^${url.replaceAll(/[.$]/g, '\\$&').replaceAll(/:\w+/g, '[^/]+')}$`)
}
