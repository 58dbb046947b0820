import { isWithin } from '../core/text.ts'
import { isWebUrl } from '../core/web-url.ts'
import { isMediaUrl, isTag, mediaTypes, postLimits, shardOf, type MediaType } from '../features/posts/posts.ts'
import { counted } from '../seed/batches.ts'
import { addPostCounts, addToTotal } from '../seed/store.ts'
import type { Ground, Place, Work } from './ground.ts'
import { idOf, type SourceLink, type SourceMedia, type SourcePost, type SourceTag } from './sources.ts'
import {
  insertLinks,
  insertTagAnew,
  selectLinks,
  selectMedia,
  selectPosts,
  selectTags,
  selectTagsByName,
  type MediaRow,
  type PostRow,
  type TagRow,
} from './store.ts'
import { skipped, type Outcome } from './tally.ts'
import { timesOf } from './users.ts'

const reasons = {
  id: 'its id is none that Pinstack has',
  taken: 'its id is another row’s here',
  postGone: 'its post is gone',
  postAbsent: 'its post was not imported',
} as const

export const idsOf = (texts: readonly (string | null)[]) => texts.map(idOf).filter((id) => id !== undefined)

export function postWork(ground: Ground): Work<SourcePost> {
  return {
    async write(place, rows) {
      const { db, tx } = place
      const whyNot = await ground.holdUsers(
        place,
        rows.map(({ author_id }) => idOf(author_id)),
      )
      const there = new Map((db ? await selectPosts.all(db, idsOf(rows.map(({ id }) => id)), {}) : []).map((post) => [post.id, post]))
      const fresh: PostRow[] = []
      const outcomes = rows.map((row): Outcome => {
        const [id, authorId] = [idOf(row.id), idOf(row.author_id)]
        if (id === undefined) return skipped(row.id, reasons.id)
        const reason = whyNot(authorId)
        if (reason) return skipped(row.id, reason)
        const { createdAt, updatedAt, notes } = timesOf(row)
        const known = there.get(id)
        if (known)
          return known.authorId === authorId && known.createdAt === createdAt
            ? { id: row.id, became: 'there' }
            : skipped(row.id, reasons.taken)
        fresh.push({ id, authorId: authorId!, title: row.title ?? '', content: row.content, createdAt, updatedAt })
        return { id: row.id, became: 'imported', notes: [...notes, ...notesOf(row)] }
      })
      if (!tx) return outcomes
      await ground.store.insertPosts(tx, fresh)
      const byAuthor = counted(fresh.map(({ authorId }) => authorId))
      await addPostCounts(
        tx,
        byAuthor.map(([id, posts]) => ({ id, posts })),
      )
      const byShard = counted(fresh.map(({ authorId }) => shardOf(authorId)))
      await addToTotal(
        tx,
        byShard.map(([shard, posts]) => ({ shard, posts })),
      )
      return outcomes
    },
    done(outcomes) {
      for (const outcome of outcomes) {
        const id = Number(outcome.id)
        if (outcome.became === 'imported' && ground.dryRun) ground.would.posts.add(id)
        if (outcome.became === 'skipped') ground.lostPosts.add(id)
      }
    },
  }
}

function notesOf({ title, content }: SourcePost): string[] {
  return [
    title === null ? 'without a title: it has an empty one' : isWithin(title, postLimits.title) ? '' : 'title kept beyond the limits',
    content !== null && !isWithin(content, postLimits.content) ? 'content kept beyond the limits' : '',
  ].filter((note) => note !== '')
}

/** When these posts were made, of those that have come from there. */
async function timesOfPosts(
  { dryRun, would, lostPosts }: Ground,
  { db }: Place,
  ids: readonly number[],
): Promise<(id: number) => string | undefined> {
  const found = new Map((db ? await selectPosts.all(db, [...new Set(ids)], {}) : []).map(({ id, createdAt }) => [id, createdAt]))
  return (id) => {
    if (lostPosts.has(id)) return undefined
    return found.get(id) ?? (dryRun && would.posts.has(id) ? '' : undefined)
  }
}

const lastPosition = postLimits.position.max

export function mediaWork(ground: Ground): Work<SourceMedia> {
  return {
    async write(place, rows) {
      const { db, tx } = place
      const timeOfPost = await timesOfPosts(ground, place, idsOf(rows.map(({ post_id }) => post_id)))
      const there = new Map(
        (db ? await selectMedia.all(db, idsOf(rows.map(({ id }) => id)), {}) : []).map(({ id, postId }) => [id, postId]),
      )
      const fresh: MediaRow[] = []
      const outcomes = rows.map((row): Outcome => {
        const [id, postId] = [idOf(row.id), idOf(row.post_id)]
        if (id === undefined) return skipped(row.id, reasons.id)
        if (postId === undefined || !row.has_post) return skipped(row.id, reasons.postGone)
        if (timeOfPost(postId) === undefined) return skipped(row.id, reasons.postAbsent)
        const known = there.get(id)
        if (known !== undefined) return known === postId ? { id: row.id, became: 'there' } : skipped(row.id, reasons.taken)
        if (row.url === null || !isWebUrl(row.url)) return skipped(row.id, 'no http or https URL')
        if (!mediaTypes.includes(row.type as MediaType)) return skipped(row.id, 'neither an image nor a video')
        const position = row.position === null ? lastPosition : Number(row.position)
        if (!Number.isInteger(position) || Math.abs(position) > 2 ** 31 - 1)
          return skipped(row.id, 'its position is no number that Pinstack has')
        fresh.push({ id, postId, position, url: row.url, type: row.type as MediaType })
        const isOut = position < postLimits.position.min || position > lastPosition
        const notes = [
          row.position === null ? 'without a position: it comes last' : '',
          isOut ? 'position kept beyond 1 to 9' : '',
          isMediaUrl(row.url) ? '' : 'URL kept beyond the limit',
        ].filter((note) => note !== '')
        return { id: row.id, became: 'imported', notes }
      })
      if (tx) await ground.store.insertMedia(tx, fresh)
      return outcomes
    },
  }
}

export function tagWork(ground: Ground): Work<SourceTag> {
  return {
    async write({ db, tx }, rows) {
      const byId = new Map((db ? await selectTags.all(db, idsOf(rows.map(({ id }) => id)), {}) : []).map((tag) => [tag.id, tag.name]))
      const names = rows.map(({ name }) => name).filter((name) => name !== null)
      const byName = new Map((db ? await selectTagsByName.all(db, names, {}) : []).map((tag) => [tag.name, tag.id]))
      const fresh: TagRow[] = []
      const outcomes: Outcome[] = []
      for (const row of rows) {
        const id = idOf(row.id)
        if (id === undefined) outcomes.push(skipped(row.id, reasons.id))
        else if (row.name === null || row.name === '') outcomes.push(skipped(row.id, 'it has no name'))
        else if (byName.has(row.name)) {
          ground.tagIds.set(id, byName.get(row.name)!)
          outcomes.push({ id: row.id, became: 'there' })
        } else {
          const isTaken = byId.has(id)
          const notes = [
            isTag(row.name) ? '' : 'name kept beyond the limits',
            isTaken ? 'under another id: its own is another tag’s here' : '',
          ]
          if (!isTaken) fresh.push({ id, name: row.name })
          else if (tx) ground.tagIds.set(id, (await insertTagAnew.first(tx, { name: row.name }))!.id)
          if (!isTaken || !tx) ground.tagIds.set(id, id)
          byName.set(row.name, id)
          outcomes.push({ id: row.id, became: 'imported', notes: notes.filter((note) => note !== '') })
        }
      }
      if (tx) await ground.store.insertTags(tx, fresh)
      return outcomes
    },
  }
}

export function linkWork(ground: Ground): Work<SourceLink> {
  return {
    async write(place, rows) {
      const { db, tx } = place
      const timeOfPost = await timesOfPosts(ground, place, idsOf(rows.map(({ post_id }) => post_id)))
      const postIds = [...new Set(idsOf(rows.map(({ post_id }) => post_id)))]
      const there = new Set((db ? await selectLinks.all(db, postIds, {}) : []).map(({ postId, tagId }) => `${postId}:${tagId}`))
      const fresh: { postId: number; tagId: number; createdAt: string }[] = []
      const outcomes = rows.flatMap((row): Outcome[] => {
        const [postId, id] = [idOf(row.post_id), `${row.post_id}:${row.tag_id}`]
        const refused = (reason: string): Outcome[] => [{ id, became: 'skipped', reason, count: row.count }]
        if (postId === undefined || !row.has_post) return refused(reasons.postGone)
        if (!row.has_tag) return refused('its tag is gone')
        const createdAt = timeOfPost(postId)
        if (createdAt === undefined) return refused(reasons.postAbsent)
        const tagId = ground.tagIds.get(Number(row.tag_id))
        if (tagId === undefined) return refused('its tag was not imported')
        const repeated: Outcome[] =
          row.count > 1 ? [{ id, became: 'skipped', reason: 'the post has it already', count: row.count - 1 }] : []
        if (there.has(`${postId}:${tagId}`)) return [{ id, became: 'there' }, ...repeated]
        fresh.push({ postId, tagId, createdAt })
        return [{ id, became: 'imported' }, ...repeated]
      })
      if (tx) await insertLinks(tx, fresh)
      return outcomes
    },
  }
}
