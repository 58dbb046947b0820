import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, payloadBytesMax, readCanonicalJson } from './payload.ts'

const canonical = (text: string) => canonicalJson(JSON.parse(text))
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe('a payload', () => {
  it.each([
    ['{ "b" : 1,\n "aa": [ 1 , 2 ], "a": {} }', '{"a":{},"b":1,"aa":[1,2]}'], // shorter first
    ['{"é":1,"zz":2,"z":3,"~~~":4}', '{"z":3,"zz":2,"é":1,"~~~":4}'], // by bytes, in number and in value
    ['{"\u{ffff}":1,"\u{10000}":2,"\u{e000}":3}', '{"\u{e000}":3,"\u{ffff}":1,"\u{10000}":2}'], // not by UTF-16 units
    ['{"a":1,"10":2,"9":3,"b":4}', '{"9":3,"a":1,"b":4,"10":2}'], // not numbers first
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"__proto__":{"x":1},"constructor":2}', '{"__proto__":{"x":1},"constructor":2}'],
    ['{"":1}', '{"":1}'],
    ['"\\u00e9\\/\\n"', '"é/\\n"'],
    ['[1.0, 1e3, 0.1, 1e21, -5]', '[1,1000,0.1,1e+21,-5]'],
    ['null', 'null'],
    ['false', 'false'],
  ])('%s is kept as %s', (given, kept) => {
    expect(canonical(given)).toBe(kept)
    expect(JSON.stringify(readCanonicalJson(kept))).toBe(kept)
  })

  it.each([
    ['a NUL in a text', '"a\\u0000"'],
    ['a NUL in a name', '{"a\\u0000":1}'],
    ['half of a pair', '"\\ud83d"'],
    ['half of a pair in a name', '[{"\\ude00":1}]'],
    ['a number beyond all', '[1e400]'],
    ['33 levels', nested(33)],
    ['a great many levels', nested(100_000)],
    ['a byte too many', `"${'a'.repeat(payloadBytesMax - 1)}"`],
    ['a byte too many, in few characters', `"${'é'.repeat(payloadBytesMax / 2)}"`],
  ])('is refused with %s', (_what, text) => {
    expect(canonical(text)).toBeUndefined()
  })

  it('may have 32 levels and 16 KiB', () => {
    expect(canonical(nested(32))).toBe(nested(32))
    expect(canonical(`"${'a'.repeat(payloadBytesMax - 2)}"`)).toHaveLength(payloadBytesMax)
  })

  it('comes back as it went in, in the one text that it has', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5, depthSize: 'small' }), (text) => {
        const kept = canonical(text)
        if (kept === undefined) return
        const read = readCanonicalJson(kept)
        expect(JSON.stringify(read)).toBe(kept)
        expect(canonicalJson(read)).toBe(kept)
        expect(JSON.parse(kept)).toEqual(JSON.parse(JSON.stringify(JSON.parse(text)))) // -0 is 0
      }),
      { numRuns: 500 },
    )
  })
})
