import type { App } from './compose.ts'
import { authRouter } from './features/auth/router.ts'
import { usersRouter } from './features/users/router.ts'
import { router } from './rpc/procedures.ts'

export function createRouter(app: App) {
  return router({
    auth: authRouter({ auth: app.auth, users: { byId: app.users.byId } }),
    users: usersRouter(app),
  })
}
export type AppRouter = ReturnType<typeof createRouter>
