import { yearMs, type Plan, type SeedSize } from './plan.ts'
import { randomOf, shuffled, type Random } from './random.ts'

const streams = { popularity: 11, followees: 12, reading: 13 } as const

/** How steeply the number of followers falls with the rank (Zipf's law). With 1,000 users the first ten have about a quarter of all. */
const steepness = 0.9
/** Draws of one followee that may hit whom the user follows already, before the next in rank is taken. */
const drawsMax = 8

/** Keys for sorting hold a part of the year above and the number of a follow below, together the 53 bits of an exact number. */
const partSteps = 2 ** 27
export const followsMax = 2 ** 25

export interface FollowPlan {
  /** Users are counted from 0. */
  follower: number
  followee: number
  offsetMs: number
  /** How long after the follow its notification was read; null when it was not. */
  readAfterMs: number | null
}

/** All follows of a seed, by ascending time: once both accounts are open, and no pair twice. Takes about 32 bytes for each. */
export function createFollowPlan(seed: number, { users, followsPerUser }: SeedSize, { userOffsetMs }: Plan) {
  const count = users * followsPerUser
  const followers = new Int32Array(count)
  const followees = new Int32Array(count)
  const keys = new Float64Array(count)
  const ranked = shuffled(randomOf(seed, streams.popularity), users)
  const weights = cumulatedWeights(users)
  let next = 0
  for (let follower = 0; follower < users; follower++) {
    const random = randomOf(seed, streams.followees, follower)
    for (const followee of drawFollowees(random, {
      follower,
      degree: degreeOf(follower, seed, { users, followsPerUser }),
      ranked,
      weights,
    })) {
      const openPart = userOffsetMs(Math.max(follower, followee)) / yearMs
      const part = openPart + (1 - openPart) * random() * 0.999
      followers[next] = follower
      followees[next] = followee
      keys[next] = Math.ceil(part * partSteps) * followsMax + next
      next++
    }
  }
  keys.sort()
  const offsets = new Float64Array(count)
  for (let at = 0, beforeMs = -1; at < count; at++) {
    beforeMs = Math.max(beforeMs + 1, Math.ceil((Math.floor(keys[at]! / followsMax) / partSteps) * yearMs))
    offsets[at] = beforeMs
  }
  return {
    count,
    offsetMs: (index: number) => offsets[index]!,
    follow(index: number): FollowPlan {
      const pair = keys[index]! % followsMax
      const random = randomOf(seed, streams.reading, index)
      const isRead = random() < 0.7
      return {
        follower: followers[pair]!,
        followee: followees[pair]!,
        offsetMs: offsets[index]!,
        readAfterMs: isRead ? Math.floor(random() * 3 * 86_400_000) : null,
      }
    },
  }
}

/** Users come in twos of which one follows the more the other follows the fewer, so that all together follow what was asked for. */
function degreeOf(user: number, seed: number, { users, followsPerUser }: Pick<SeedSize, 'users' | 'followsPerUser'>): number {
  const isAlone = user === users - 1 && user % 2 === 0
  if (isAlone) return followsPerUser
  const difference = Math.floor(randomOf(seed, streams.followees, -1 - (user >> 1))() * Math.min(followsPerUser, users - followsPerUser))
  return user % 2 === 0 ? followsPerUser + difference : followsPerUser - difference
}

function cumulatedWeights(users: number): Float64Array {
  const weights = new Float64Array(users)
  for (let rank = 0, sum = 0; rank < users; rank++) weights[rank] = sum += (rank + 1) ** -steepness
  return weights
}

interface Draw {
  follower: number
  degree: number
  ranked: Int32Array
  weights: Float64Array
}

function drawFollowees(random: Random, { follower, degree, ranked, weights }: Draw): Set<number> {
  const drawn = new Set<number>()
  const isFree = (user: number) => user !== follower && !drawn.has(user)
  while (drawn.size < degree) {
    let rank = drawRank(random, weights)
    for (let draws = 1; draws < drawsMax && !isFree(ranked[rank]!); draws++) rank = drawRank(random, weights)
    while (!isFree(ranked[rank]!)) rank = (rank + 1) % ranked.length // @NOTE ends: a degree is below the number of users
    drawn.add(ranked[rank]!)
  }
  return drawn
}

function drawRank(random: Random, weights: Float64Array): number {
  const wanted = random() * weights.at(-1)!
  return firstIndex(weights.length, (rank) => weights[rank]! > wanted)
}

/** The first of `count` numbers for which `isReached` holds, as it does for all after it; `count` when there is none. */
export function firstIndex(count: number, isReached: (index: number) => boolean): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isReached(middle)) high = middle
    else low = middle + 1
  }
  return low
}
