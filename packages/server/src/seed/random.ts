/** Numbers of [0, 1), the same each time for the same keys: what a row holds depends on nothing but which row it is. */
export type Random = () => number

/** mulberry32, begun at a hash of `keys`. Not for secrets. */
export function randomOf(...keys: readonly number[]): Random {
  let state = 0x2545f491
  for (const key of keys) {
    state = Math.imul(state ^ key, 0x85ebca6b)
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
    state ^= state >>> 16
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)]!
}

export function shuffled(random: Random, count: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index)
  for (let left = count - 1; left > 0; left--) {
    const other = Math.floor(random() * (left + 1))
    const moved = order[left]!
    order[left] = order[other]!
    order[other] = moved
  }
  return order
}
