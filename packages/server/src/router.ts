import type { App } from './compose.ts'
import { adminRouter } from './features/admin/router.ts'
import { authRouter } from './features/auth/router.ts'
import { liveRouter } from './features/live/router.ts'
import { notificationsRouter } from './features/notifications/router.ts'
import { postsRouter } from './features/posts/router.ts'
import { relationsRouter } from './features/relations/router.ts'
import { usersRouter } from './features/users/router.ts'
import { router } from './rpc/procedures.ts'

export function createRouter(app: App) {
  return router({
    admin: adminRouter(app),
    auth: authRouter({ auth: app.auth, users: { byId: app.users.byId } }),
    live: liveRouter(app),
    notifications: notificationsRouter(app),
    posts: postsRouter(app),
    relations: relationsRouter(app),
    users: usersRouter(app),
  })
}
export type AppRouter = ReturnType<typeof createRouter>
