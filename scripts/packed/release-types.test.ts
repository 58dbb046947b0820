import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../packages.ts'
import { compareTypes } from '../release/compare-types.ts'
import { sdkDeclarations, type Declarations } from '../release/declarations.ts'

const sdk = sdkDeclarations()

/** What is found when the SDK, as it is, becomes one in which `from` is `to`. */
function findings(file: string, from: string | RegExp, to: string): string[] {
  const text = sdk.files[file]!
  const changed = text.replace(from, to)
  expect(changed).not.toBe(text)
  return compare({ ...sdk, files: { ...sdk.files, [file]: changed } })
}

const compare = (next: Declarations) => compareTypes(sdk, next, join(root, 'packages/sdk'))

test('the SDK as it is breaks nothing', () => {
  expect(sdk.entries['.']).toBe('client.d.ts')
  expect(compare(sdk)).toEqual([])
})

test.each([
  ['an answer loses a field', 'procedures.d.ts', 'bio: string | null;', ''],
  ['a field of an answer may come to lack', 'procedures.d.ts', 'createdAt: string;', 'createdAt?: string;'],
  ['an answer may become null', 'notifications.d.ts', /get\(([^)]*)\): Promise<Notification>/, 'get($1): Promise<Notification | null>'],
  ['an argument asks for a field more', 'procedures.d.ts', 'interface NewUser {', 'interface NewUser { needed: string;'],
  ['an option has to be given', 'client.d.ts', 'timeoutMs?: number', 'timeoutMs: number'],
  ['an argument takes less', 'posts.d.ts', /get\(id: number/, 'get(id: 1'],
  ['a call is gone', 'client.d.ts', /^.*logout.*\n/m, ''],
  ['a store has to do more', 'session.d.ts', 'interface SessionStore {', 'interface SessionStore { forget(): void;'],
  ['an error code is gone', 'errors.d.ts', /"users.not_found",? ?/, ''],
  ['a function is gone', 'client.d.ts', ' webStore,', ''],
  ['a type is gone', 'client.d.ts', 'SearchPage, SessionInfo, User, UserChanges, } from', 'SearchPage, SessionInfo, User, } from'],
  ['a type wants a parameter', 'pages.d.ts', /interface PageOptions/, 'interface PageOptions<Needed>'],
])('%s: found', (_, file, from, to) => {
  expect(findings(file, from, to)).not.toEqual([])
})

test.each([
  ['an answer gets a field', 'procedures.d.ts', 'bio: string | null;', 'bio: string | null; pronouns: string;'],
  ['a field of an answer is always there', 'procedures.d.ts', 'bio: string | null;', 'bio: string;'],
  ['an argument takes a field more', 'procedures.d.ts', 'interface NewUser {', 'interface NewUser { wanted?: string | undefined;'],
  [
    'there is a call more',
    'client.d.ts',
    'interface Pinstack<App = unknown> {',
    'interface Pinstack<App = unknown> { ping(): Promise<void>;',
  ],
  ['there is an error code more', 'errors.d.ts', /"users.not_found"/, '"users.not_found", "users.new"'],
  ['a type has a parameter more that need not be given', 'pages.d.ts', /interface PageOptions/, 'interface PageOptions<Wanted = never>'],
])('%s: no break', (_, file, from, to) => {
  expect(findings(file, from, to)).toEqual([])
})

test('a path that can no longer be imported is found', () => {
  expect(compare({ ...sdk, entries: {} })).toEqual(['`.` can no longer be imported.', '`./react` can no longer be imported.'])
})
