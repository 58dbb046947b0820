import { performance } from 'node:perf_hooks'
import { expect, it } from 'vitest'
import { isAvatarUrl, isEmailSyntax, isPassword, isPlainEmail, isUsername } from './account.ts'
import { fold } from './text.ts'

const wide = '\u{1F600}' // two UTF-16 units, one character

it.each([
  ['ann@example.com', true, true],
  ['a.b+c_d%e-f@sub.example.co', true, true],
  ['A@B.CO', true, true],
  ['a@x--y.com', true, true],
  ["o'brien@example.com", true, false],
  ['ü@example.com', true, false],
  ['a@exämple.com', true, false],
  ['"a b"@example.com', true, false],
  ['a@example.c', true, false],
  ['a@example.com.', true, false],
  ['a&b@example.com', true, false],
  ['a..b@example.com', false, true],
  ['.a@example.com', false, true],
  ['a.@example.com', false, true],
  ['a@-example.com', false, true],
  ['a@example-.com', false, true],
  ['a@b..com', false, true],
  ['a@.example.com', false, true],
  ['', false, false],
  ['a', false, false],
  ['@', false, false],
  ['a@b', false, false],
  ['@example.com', false, false],
  ['a@', false, false],
  ['a b@example.com', false, false],
  ['a@exa mple.com', false, false],
  ['a@@example.com', false, false],
  ['a@example.com ', false, false],
  [' a@example.com', false, false],
  ['a\0@example.com', false, false],
  ['a@example.com\n', false, false],
  ['\ud800@example.com', false, false],
])('reads %j as an address: %s, a plain one: %s', (text, isSyntax, isPlain) => {
  expect([isEmailSyntax(text), isPlainEmail(text)]).toEqual([isSyntax, isPlain])
})

it('counts the characters of an address to the end, and takes no time for those that were made to take it', () => {
  const longest = `${'a'.repeat(242)}@example.com`
  expect([isEmailSyntax(longest), isEmailSyntax(`a${longest}`)]).toEqual([true, false])
  const startMs = performance.now()
  for (const text of [
    `${'a.'.repeat(120)}@`,
    `a@${'a.'.repeat(120)}-`,
    `"${'\\a'.repeat(120)}`,
    `a@${'-'.repeat(240)}`,
    'a'.repeat(1_000_000),
  ]) {
    for (let i = 0; i < 100; i++) expect(isEmailSyntax(text)).toBe(false)
  }
  expect(performance.now() - startMs).toBeLessThan(500) // 500 of them; a backtracking pattern needs hours for one
})

it.each([
  ['ann', true],
  ['Ann_B.c-9', true],
  ['Ан\u043dа', true],
  ['安安安', true],
  ['a'.repeat(32), true],
  ['½½½', true],
  ['٣٤٥', true],
  ['...', true],
  ['an', false],
  ['a'.repeat(33), false],
  ['a b', false],
  ['a@b', false],
  ['a/b', false],
  ['', false],
  ['   ', false],
  ['ann\0', false],
  ['a\u0301bc', false],
  [wide.repeat(3), false],
  ['\ud800aa', false],
  ['a\u200bb', false],
  ['ann\n', false],
  ['\u{1D400}'.repeat(32), true],
  ['\u{1D400}'.repeat(33), false],
])('takes %j for a username: %s', (text, expected) => {
  expect(isUsername(text)).toBe(expected)
})

it.each([
  ['1234567', false],
  ['12345678', true],
  [wide.repeat(7), false],
  [wide.repeat(8), true],
  [wide.repeat(128), true],
  [wide.repeat(129), false],
  ['a'.repeat(128), true],
  ['a'.repeat(129), false],
  ['1234567\0', false],
  ['1234567\udc00', false],
  ['        ', true],
])('takes %j for a password: %s', (text, expected) => {
  expect(isPassword(text)).toBe(expected)
})

it.each([
  ['https://example.com/a.png', true],
  ['http://a', true],
  ['HTTPS://EXAMPLE.COM', true],
  ['https://u:p@h:1/?q#f', true],
  ['https://[::1]/a', true],
  ['https://exämple.com', true],
  [`https://a/${'b'.repeat(2038)}`, true],
  [`https://a/${'b'.repeat(2039)}`, false],
  ['', false],
  ['javascript:alert(1)', false],
  ['data:image/png;base64,AA', false],
  ['ftp://h/x', false],
  ['file:///p', false],
  ['//example.com', false],
  ['example.com/x', false],
  ['http://', false],
  ['http:///x', false],
  ['https:example.com', false],
  ['https:\\\\example.com', false],
  ['http://a b/', false],
  [' http://a', false],
  ['http://a\n', false],
  ['http://a/\0', false],
  ['x:y', false],
  ['http://[::1', false],
  ['http://a:99999/', false],
])('takes %j for the URL of a picture: %s', (text, expected) => {
  expect(isAvatarUrl(text)).toBe(expected)
})

it.each([
  ['Ann', 'ann', true],
  ['ANN', 'Ａｎｎ', true],
  ['é', 'e\u0301', true],
  ['ﬁsh', 'FISH', true],
  ['ΣΑΣ', 'σας', true],
  ['Straße', 'STRAßE', true],
  ['\u212aelvin', 'kelvin', true],
  ['ǅ', 'ǆ', true],
  ['İstanbul', 'i\u0307stanbul', true],
  ['Straße', 'strasse', false],
  ['İstanbul', 'istanbul', false],
  ['ı', 'i', false],
  ['é', 'e', false],
])('compares %j and %j as the same: %s', (one, other, same) => {
  expect(fold(one) === fold(other)).toBe(same)
  expect([fold(fold(one)), fold(fold(other))]).toEqual([fold(one), fold(other)])
})
