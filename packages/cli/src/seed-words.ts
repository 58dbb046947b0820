import type { Vocabulary } from '@pinstack/server/seed'

/** Each list is made once; rows are put together from them. Faker makes a sentence in the time in which SQLite keeps ten rows. */
const sizes = { names: 1_500, bios: 2_000, avatars: 400, titles: 4_000, sentences: 3_000, tags: 200, media: 2_000 } as const
/** For clients that play videos: a few seconds of a flower, in the public domain. */
const video = { url: 'https://interactive-examples.mdn.mozilla.net/media/cc0-videos/flower.mp4', type: 'video' } as const

/** The same for the same `seed`. */
export async function seedWords(seed: number): Promise<Vocabulary> {
  const { faker } = await import('@faker-js/faker/locale/en') // @NOTE the whole package is 70 languages
  faker.seed(seed)
  const { animal, book, commerce, food, hacker, image, location, music, person, word } = faker
  const list = (count: number, make: (index: number) => string) => Array.from({ length: count }, (_, index) => upperFirst(make(index)))
  const one = (...makes: (() => string)[]) => faker.helpers.arrayElement(makes)()

  const title = () =>
    one(
      () => `A weekend in ${location.city()}`,
      () => `${food.dish()}, my way`,
      () => `Reading “${book.title()}” again`,
      () => `“${music.songName()}” has been in my head all day`,
      () => `Five things I learned in ${location.country()}`,
      () => `The best ${food.ethnicCategory()} food in ${location.city()}`,
      () => `What my ${animal.type()} taught me about ${word.noun()}`,
      () => `Notes on ${hacker.ingverb()} the ${hacker.noun()}`,
      () => `First try: ${food.dish()}`,
      () => `${book.author()} was right about ${word.noun()}`,
      () => `Looking for ${music.genre()} records in ${location.city()}`,
    )
  const sentence = () =>
    one(
      () => `${food.description()}`,
      () => hacker.phrase(),
      () => `I have been listening to ${music.artist()} since ${faker.date.weekday()}.`,
      () => `If you are ever in ${location.city()}, try the ${food.adjective()} ${food.dish().toLowerCase()}.`,
      () => `Somebody on ${location.street()} sells this for ${commerce.price({ symbol: '$' })}.`,
      () => `My ${animal.type()} would not agree.`,
      () => `It reminds me of “${book.title()}” by ${book.author()}.`,
      () => `${person.firstName()} says it was ${word.adjective()}; I found it ${word.adjective()}.`,
    )
  const tags = faker.helpers.uniqueArray(
    () =>
      one(animal.type, food.ingredient, music.genre, book.genre, location.country, word.noun)
        .toLowerCase()
        .replace(/[^\p{L}\p{N}]+/gu, '-'),
    sizes.tags * 2,
  )
  return {
    firstNames: list(sizes.names, () => person.firstName()),
    lastNames: list(sizes.names, () => person.lastName()),
    bios: list(sizes.bios, () => withoutEmoji(person.bio())), // @NOTE any emoji at all, the rude ones too
    avatarUrls: Array.from({ length: sizes.avatars }, () => image.personPortrait({ size: 256 })),
    titles: list(sizes.titles, title),
    sentences: list(sizes.sentences, sentence),
    tags: tags.filter((name) => name.length >= 2 && name.length <= 50).slice(0, sizes.tags),
    media: Array.from({ length: sizes.media }, (_, index) =>
      index % 20 === 0
        ? video
        : ({ url: image.urlPicsumPhotos({ width: 1200, height: 800, blur: 0, grayscale: false }), type: 'image' } as const),
    ),
  }
}

/** With what joins and colours them. */
const emoji = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u{200d}|\u{fe0f}|\u{20e3}|[\u{e0020}-\u{e007f}]/gu

function withoutEmoji(text: string): string {
  return text.replace(emoji, '').trim()
}

function upperFirst(text: string): string {
  return text === '' ? text : text[0]!.toUpperCase() + text.slice(1)
}
