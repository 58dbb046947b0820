import { fold } from '../core/text.ts'
import type { NewMedia } from '../features/posts/posts.ts'
import { pick, randomOf, type Random } from './random.ts'

export interface SeedSize {
  users: number
  /** On average; so it is with follows. */
  postsPerUser: number
  followsPerUser: number
}

/** What rows are made of. Each list has at least one item, and every item keeps the limits of what it is for. */
export interface Vocabulary {
  firstNames: readonly string[]
  lastNames: readonly string[]
  bios: readonly string[]
  avatarUrls: readonly string[]
  titles: readonly string[]
  sentences: readonly string[]
  tags: readonly string[]
  media: readonly Pick<NewMedia, 'url' | 'type'>[]
}

/** Users, posts and follows begin with a year between the first and the time that the seed is made for. */
export const yearMs = 365 * 86_400_000

/** Where the random numbers of each kind of row begin. */
const streams = { userTime: 1, user: 2, postTime: 3, post: 4 } as const

/** Each row has a slot of the year, and stands in the first nine tenths of it: so two of them never have the same time. */
const slotPart = 0.9

export interface UserPlan {
  username: string
  usernameFolded: string
  email: string
  emailFolded: string
  fullName: string
  fullNameFolded: string
  bio: string | null
  avatarUrl: string | null
}

export interface PostPlan {
  /** Who wrote it, counted from 0. */
  author: number
  title: string
  content: string
  tags: string[]
  media: NewMedia[]
}

export const seedDomain = (seed: number) => `seed-${seed}.example`

/** Users and posts of a seed by their number, which counts from 0 and up with the time. Offsets are milliseconds from the first. */
export function createPlan(seed: number, { users, postsPerUser }: SeedSize, words: Vocabulary) {
  const posts = users * postsPerUser

  /** Of the year. Accounts are opened at an even pace. */
  function userPart(index: number): number {
    return index === 0 ? 0 : (index + slotPart * randomOf(seed, streams.userTime, index)()) / users
  }

  /** Posts come the more often the more people are there to write them. */
  function postPart(index: number): number {
    return Math.sqrt((index + slotPart * randomOf(seed, streams.postTime, index)()) / posts)
  }

  return {
    posts,
    userOffsetMs: (index: number) => Math.floor(userPart(index) * yearMs),
    postOffsetMs: (index: number) => Math.floor(postPart(index) * yearMs),

    user(index: number): UserPlan {
      const random = randomOf(seed, streams.user, index)
      const [first, last] = [pick(random, words.firstNames), pick(random, words.lastNames)]
      // The number makes it nobody else's, the seed no other seed's; together they keep within 32 characters.
      const username = `${plainLetters(first)}.${plainLetters(last)}${index + 1}${seed === 1 ? '' : `-${seed}`}`
      const email = `u${index + 1}@${seedDomain(seed)}`
      const fullName = `${first} ${last}`
      return {
        username,
        usernameFolded: fold(username),
        email,
        emailFolded: fold(email),
        fullName,
        fullNameFolded: fold(fullName),
        bio: random() < 0.7 ? pick(random, words.bios) : null,
        avatarUrl: random() < 0.8 ? pick(random, words.avatarUrls) : null,
      }
    },

    post(index: number): PostPlan {
      const random = randomOf(seed, streams.post, index)
      const usersMin = Math.max(1, Math.floor(users * postPart(index))) // whoever is there by then
      return {
        author: Math.floor(random() * usersMin),
        title: pick(random, words.titles),
        content: Array.from({ length: 1 + Math.floor(random() * 5) }, () => pick(random, words.sentences)).join(' '),
        tags: pickTags(random, words.tags),
        media: pickMedia(random, words.media),
      }
    },
  }
}

export type Plan = ReturnType<typeof createPlan>

const lettersMax = 8

function plainLetters(name: string): string {
  const letters = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z]/g, '')
  return letters.slice(0, lettersMax) || 'x'
}

/** 0 to 4; the first ones of the list are the most liked. */
function pickTags(random: Random, names: readonly string[]): string[] {
  const wanted = Math.floor(random() * 5)
  const picked = new Set<string>()
  for (let drawn = 0; drawn < wanted; drawn++) picked.add(names[Math.floor(random() ** 2 * names.length)]!)
  return [...picked]
}

/** Three posts in ten have 1 to 3. */
function pickMedia(random: Random, media: Vocabulary['media']): NewMedia[] {
  if (random() >= 0.3) return []
  return Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => ({ ...pick(random, media), position: index + 1 }))
}
