/** Numbers in 8 bytes each, where a set would take 40: what has to be remembered of every row of a table. */
export interface NumberList {
  add(value: number): void
  /** @NOTE sorts what was added since the last look: add all, then look. Ascending values cost nothing. */
  has(value: number): boolean
  /** Those that were added more than once. */
  repeated(): Set<number>
  readonly size: number
}

export function createNumberList(): NumberList {
  let values = new Float64Array(1024)
  let size = 0
  let isSorted = true

  function sorted(): Float64Array {
    const used = values.subarray(0, size)
    if (!isSorted) used.sort()
    isSorted = true
    return used
  }

  return {
    add(value) {
      if (size === values.length) {
        const larger = new Float64Array(size * 2)
        larger.set(values)
        values = larger
      }
      if (size > 0 && value < values[size - 1]!) isSorted = false
      values[size++] = value
    },
    has(value) {
      const used = sorted()
      let [low, high] = [0, used.length]
      while (low < high) {
        const middle = (low + high) >>> 1
        if (used[middle]! < value) low = middle + 1
        else high = middle
      }
      return used[low] === value
    },
    repeated() {
      const used = sorted()
      const found = new Set<number>()
      for (let index = 1; index < used.length; index++) if (used[index] === used[index - 1]) found.add(used[index]!)
      return found
    },
    get size() {
      return size
    },
  }
}
