import { expect, test } from 'vitest'
import { announced } from './announced.ts'

const sdk = '@pinstack/sdk'
const says = (type: string, summary: string, name = sdk) => [{ releases: [{ name, type }], summary }]

test.each([
  ['a minor change before 1.0', '0.3.0', says('minor', 'Breaking: `bio` is `about`.')],
  ['a major change after it', '1.3.0', says('major', 'Accounts.\n\n**Breaking:** `bio` is `about`.')],
])('%s that says so announces it', (_, version, changesets) => {
  expect(announced(changesets, { name: sdk, version })).toBe(true)
})

test.each([
  ['a patch', '0.3.0', says('patch', 'Breaking: `bio` is `about`.')],
  ['a minor change after 1.0', '1.3.0', says('minor', 'Breaking: `bio` is `about`.')],
  ['a minor change that does not say so', '0.3.0', says('minor', '`bio` is `about`.')],
  ['one that does not say what', '0.3.0', says('minor', 'Breaking:')],
  ['one of another package', '0.3.0', says('minor', 'Breaking: `bio` is `about`.', 'pinstack')],
  ['none', '0.3.0', []],
])('%s does not', (_, version, changesets) => {
  expect(announced(changesets, { name: sdk, version })).toBe(false)
})
