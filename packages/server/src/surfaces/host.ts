/** What is used of a Fastify application; whatever version 5 made it, and whatever its logger and types are. */
export interface Host {
  readonly version: string
  readonly initialConfig: { readonly http2?: boolean; readonly requestTimeout?: number; readonly connectionTimeout?: number }
  register(plugin: (scope: any) => Promise<void>): unknown
}

export interface MountOptions {
  /**
   * What all paths begin with, such as `/social`: everything below it is Pinstack's. Without it Pinstack takes the paths that it has at
   * an address of its own (`/api`, `/trpc`, `/docs`, `/swagger`, `/setup`, `/livez`, `/readyz`, `/healthz`) and leaves all others alone.
   */
  prefix?: string
}
