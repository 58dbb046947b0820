import { expect, it } from 'vitest'
import { memoryRateLimiter, unlimited } from '../../adapters/rate-limiter/memory.ts'
import { password, signUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { networkOf } from '../../core/network.ts'
import { limits } from './limits.ts'

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1::2:3', '2001:db8:1:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
  ['unknown', 'unknown'],
])('counts %s as %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

onEachDatabase('limits', (world) => {
  const from = (address: string) => ({ address, device: '' })
  const refusals: string[] = []
  const limited = () => {
    refusals.length = 0
    return world.composeAgain({ limiter: memoryRateLimiter((name) => refusals.push(name)) }).auth
  }
  const outcome = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error) => error.code,
    )
  const times = async (count: number, work: (index: number) => Promise<unknown>) => {
    const outcomes: string[] = []
    for (let index = 0; index < count; index++) outcomes.push(await outcome(work(index)))
    return outcomes
  }
  const wrong = Array(10).fill('auth.invalid_credentials')

  it('let one address guess ten times at an account, and leave the owner elsewhere alone', async () => {
    await signUp(world.app, 'ann')
    const auth = limited()
    const guess = (login: string, given: string, address = '198.51.100.1') => auth.login({ login, password: given }, from(address))
    expect(await times(10, (index) => guess(index % 2 ? 'ann' : 'Ann@example.com', 'wrong horse'))).toEqual(wrong) // two logins, one count
    expect(await times(2, () => guess('ann', password))).toEqual(['limit.exceeded', 'limit.exceeded'])
    expect(refusals).toEqual(['login_address_account', 'login_address_account'])
    expect(await outcome(guess('ann', password, '198.51.100.2'))).toBe('done')
    expect(await outcome(guess('ann', password, '2001:db8::1'))).toBe('done')
  })

  it('count an account that does not exist like one that does', async () => {
    const auth = limited()
    const guess = (login: string) => auth.login({ login, password }, from('198.51.100.1'))
    expect(await times(11, () => guess('nobody'))).toEqual([...Array(10).fill('users.not_found'), 'limit.exceeded'])
    expect(await outcome(guess('NOBODY'))).toBe('limit.exceeded')
    expect(await outcome(guess('nobody2'))).toBe('users.not_found')
  })

  it('hold against guesses that come all at once', async () => {
    await signUp(world.app, 'ann')
    const auth = limited()
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, () => outcome(auth.login({ login: 'ann', password: 'wrong horse' }, from('198.51.100.1')))),
    )
    expect(outcomes.sort()).toEqual([...wrong, ...Array(20).fill('limit.exceeded')])
  })

  it('do not count those who know the password, nor failures that are not theirs', async () => {
    await signUp(world.app, 'ann')
    const auth = limited()
    expect(await times(20, () => auth.login({ login: 'ann', password }, from('198.51.100.1')))).toEqual(Array(20).fill('done'))
    const busy = world.composeAgain({
      limiter: memoryRateLimiter(),
      passwords: {
        hash: async () => '',
        verify: async () => {
          throw new Error('away')
        },
        load: () => ({ running: 0, waiting: 0 }),
      },
    })
    expect(await times(15, () => busy.auth.login({ login: 'ann', password }, from('198.51.100.1')))).toEqual(Array(15).fill(undefined))
  })

  it('stop many addresses at one account, and one address at many accounts', async () => {
    await signUp(world.app, 'ann')
    const auth = limited()
    const fast = world.composeAgain({
      limiter: memoryRateLimiter((name) => refusals.push(name)),
      passwords: { hash: async () => '', verify: async () => 'wrong' as const, load: () => ({ running: 0, waiting: 0 }) },
    }).auth
    expect(await times(101, (index) => fast.login({ login: 'ann', password: 'wrong horse' }, from(`198.51.100.${index}`)))).toEqual([
      ...Array(100).fill('auth.invalid_credentials'),
      'limit.exceeded',
    ])
    expect(await times(61, (index) => fast.login({ login: `nobody${index}`, password: 'x' }, from('203.0.113.1')))).toEqual([
      ...Array(60).fill('users.not_found'),
      'limit.exceeded',
    ])
    expect(refusals).toEqual(['login_account', 'login_address'])
    expect(await outcome(auth.login({ login: 'ann', password }, from('203.0.113.1')))).toBe('done') // this limiter has not heard of it
  }, 20_000)

  it('say when to come back', async () => {
    const auth = limited()
    await times(limits.registerPerAddress.max, () => auth.register({ username: 'x', email: 'x', password: 'x' }, from('198.51.100.1')))
    const refusal: any = await auth
      .register({ username: 'ann', email: 'ann@example.com', password }, from('198.51.100.1'))
      .catch((error) => error)
    expect([refusal.code, refusal.kind, refusal.retryAfterMs > 3_500_000, refusal.retryAfterMs <= 3_600_000]).toEqual([
      'limit.exceeded',
      'rate_limited',
      true,
      true,
    ])
    expect(await outcome(auth.register({ username: 'ann', email: 'ann@example.com', password }, from('198.51.100.2')))).toBe('done')
  })

  it('hold for refreshing, for changing a password, and for the setup token', async () => {
    const ann = await signUp(world.app, 'ann')
    const auth = limited()
    const tried = await times(limits.refreshPerAddress.max + 1, () => auth.refresh('x', from('198.51.100.1')))
    expect([tried.at(-2), tried.at(-1)]).toEqual(['auth.invalid_refresh_token', 'limit.exceeded'])
    expect(await times(11, () => auth.changePassword(ann.viewer, { oldPassword: 'wrong horse', newPassword: 'another horse' }))).toEqual([
      ...wrong,
      'limit.exceeded',
    ])
    expect((await times(21, () => auth.claimAdmin({ token: 'x', login: 'ann', password }, from('198.51.100.1')))).slice(-2)).toEqual([
      'auth.invalid_setup_token',
      'limit.exceeded',
    ])
  })

  it('can be switched off', async () => {
    const auth = world.composeAgain({ limiter: unlimited }).auth
    expect(new Set(await times(130, () => auth.refresh('x', from('198.51.100.1'))))).toEqual(new Set(['auth.invalid_refresh_token']))
  })
})
