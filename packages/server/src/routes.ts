import type { App } from './compose.ts'
import { adminRoutes } from './features/admin/rest.ts'
import { authRoutes } from './features/auth/rest.ts'
import { notificationRoutes } from './features/notifications/rest.ts'
import { notificationStreamRoutes } from './features/notifications/stream.ts'
import { postErrors } from './features/posts/posts.ts'
import { postRoutes } from './features/posts/rest.ts'
import { relationRoutes } from './features/relations/rest.ts'
import { userRoutes } from './features/users/rest.ts'
import type { Route } from './rest/route.ts'

export function createRoutes(app: App): Route[] {
  return [
    ...authRoutes(app),
    ...userRoutes(app),
    ...postRoutes(app),
    ...relationRoutes(app),
    ...notificationStreamRoutes(app),
    ...notificationRoutes(app),
    ...adminRoutes(app, { postNotFound: postErrors.not_found }),
  ]
}
