import { expect, it } from 'vitest'
import { client, signIn, signUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import type { PurgeStep } from './purge.ts'

onEachDatabase('purging deleted users', (world) => {
  const count = async (table: 'user' | 'session' | 'refreshToken') =>
    (
      await world.database.db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
    ).count
  const tables = async () => [await count('user'), await count('session'), await count('refreshToken')]
  const purge = async (steps?: PurgeStep[]) => {
    const run = () => (steps ? world.app.users.purgeDeletedUsers(steps) : world.app.jobs.purgeDeletedUsers())
    let calls = 0
    while (await run()) if (++calls > 100) throw new Error('it does not end')
    return calls
  }

  it('removes what is left of them, and of nobody else', async () => {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    await signIn(world.app, 'ann')
    await world.app.auth.refresh(ann.pair.refreshToken, client)
    expect(await world.app.jobs.purgeDeletedUsers()).toBe(false)
    await world.app.users.remove(ann.viewer, ann.id)
    await purge()
    expect(await tables()).toEqual([1, 1, 1])
    await world.app.auth.authenticate(bob.pair.accessToken)
    await world.app.auth.refresh(bob.pair.refreshToken, client)
  })

  it('goes in batches, and on where it was interrupted', async () => {
    const ann = await signUp(world.app, 'ann')
    await world.database.transaction(async (tx) => {
      const row = { sessionId: ann.viewer.sessionId, createdAt: '2026', expiresAt: '2027' }
      for (let index = 0; index < 1_200; index++)
        await tx
          .insertInto('refreshToken')
          .values({ ...row, hash: `token ${index}` })
          .execute()
    })
    await world.app.users.remove(ann.viewer, ann.id)
    expect([await world.app.jobs.purgeDeletedUsers(), await tables()]).toEqual([true, [1, 1, 701]])
    const restarted = world.composeAgain() // as after a kill: all that is known is in the database
    expect([await restarted.jobs.purgeDeletedUsers(), await tables()]).toEqual([true, [1, 1, 201]])
    expect(await purge()).toBeGreaterThan(0)
    expect(await tables()).toEqual([0, 0, 0])
  })

  it('undoes a batch that fails half way, and comes to the others meanwhile', async () => {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    for (const { viewer, id } of [ann, bob]) await world.app.users.remove(viewer, id)
    let broken = true
    const seen: number[] = []
    const steps: PurgeStep[] = [
      async (tx, userId, rowsMax) => {
        seen.push(userId)
        const { numDeletedRows } = await tx
          .deleteFrom('refreshToken')
          .where('sessionId', 'in', tx.selectFrom('session').where('userId', '=', userId).select('id'))
          .executeTakeFirst()
        expect(rowsMax).toBe(500)
        if (broken && userId === ann.id) throw new Error('in the way')
        return Number(numDeletedRows)
      },
      async (tx, userId) => Number((await tx.deleteFrom('session').where('userId', '=', userId).executeTakeFirst()).numDeletedRows),
    ]
    await expect(world.app.users.purgeDeletedUsers(steps)).rejects.toThrow('in the way')
    expect(await tables()).toEqual([2, 2, 2])
    await purge(steps)
    expect(await tables()).toEqual([1, 1, 1])
    await expect(world.app.users.purgeDeletedUsers(steps)).rejects.toThrow('in the way') // the next round comes back to it
    broken = false
    await purge(steps)
    await purge(steps)
    expect([await tables(), new Set(seen)]).toEqual([[0, 0, 0], new Set([ann.id, bob.id])])
  })

  it('is done by one process at a time', async () => {
    for (const name of ['ann', 'bob', 'cyd']) {
      const { viewer, id } = await signUp(world.app, name)
      await world.app.users.remove(viewer, id)
    }
    const apps = [world.app, world.composeAgain(), world.composeAgain()]
    await Promise.all(
      apps.map(async (app) => {
        while (await app.jobs.purgeDeletedUsers());
      }),
    )
    while (await world.app.jobs.purgeDeletedUsers());
    expect(await tables()).toEqual([0, 0, 0])
  })
})
