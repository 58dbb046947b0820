import type { Pinstack, User } from '@pinstack/sdk'
import { TextInput } from '@inkjs/ui'
import { Box, Text, useInput } from 'ink'
import { useEffect, useState } from 'react'
import { useUserSearch, type Search } from './use-user-search.ts'

interface UsersPanelProps {
  pinstack: Pinstack
  /** Users that fit. */
  rows: number
  /** Whether letters are text now and no commands. */
  onTyping: (isTyping: boolean) => void
}

/** What the server gives at most. */
const pageRowsMax = 100

type Mode = 'typing' | 'list' | 'details'

/** Search, list and details of users. */
export function UsersPanel({ pinstack, rows, onTyping }: UsersPanelProps) {
  const [mode, setMode] = useState<Mode>('typing')
  const [asked, setAsked] = useState<Search>()
  const [selected, setSelected] = useState(0)
  const search = useUserSearch(pinstack, asked)
  const users = search.page?.items ?? []
  const user = users[selected]
  const firstShown = Math.max(0, selected - rows + 1) // the terminal may have become smaller than the page

  useEffect(() => onTyping(mode === 'typing'), [mode])
  useEffect(() => setSelected(0), [search.page])

  useInput((input, key) => {
    if (mode === 'typing') {
      if (key.escape) setMode('list')
    } else if (mode === 'details') {
      if (key.escape || key.return) setMode('list')
    } else if (input === '/') setMode('typing')
    else if (key.downArrow) setSelected(Math.max(0, Math.min(selected + 1, users.length - 1)))
    else if (key.upArrow) setSelected(Math.max(selected - 1, 0))
    else if (key.rightArrow || key.pageDown) search.next()
    else if (key.leftArrow || key.pageUp) search.previous()
    else if (key.return && user) setMode('details')
  })

  function ask(text: string): void {
    if (text !== '') setAsked({ text, limit: Math.min(rows, pageRowsMax) })
    setMode('list')
  }

  return (
    <Box flexDirection="column" flexGrow={1}>
      <Box paddingX={1} justifyContent="space-between">
        <Box>
          <Text>Users </Text>
          {mode === 'typing' ? (
            <TextInput placeholder="part of a username or full name" onSubmit={ask} />
          ) : (
            <Text wrap="truncate">{asked?.text ?? <Text dimColor>press / to search</Text>}</Text>
          )}
        </Box>
        {mode !== 'typing' && search.page && (
          <Box flexShrink={0}>
            <Text dimColor>
              {' '}
              {search.page.total} found · page {search.pageNumber} of {search.pageCount}
            </Text>
          </Box>
        )}
      </Box>
      <Box flexDirection="column" flexGrow={1} paddingX={1} marginTop={1}>
        {search.isLoading && !search.page && <Text dimColor>searching …</Text>}
        {search.problem && <Text color="red">{search.problem}</Text>}
        {mode === 'details' && user ? (
          <Details user={user} />
        ) : (
          users
            .slice(firstShown, firstShown + rows)
            .map((one) => <Row key={one.id} user={one} isSelected={mode === 'list' && one === user} />)
        )}
        {search.page && users.length === 0 && <Text dimColor>Nobody's name contains “{asked?.text}”.</Text>}
      </Box>
      <Box paddingX={1}>
        <Text dimColor wrap="truncate">
          {keysOf[mode]}
        </Text>
      </Box>
    </Box>
  )
}

const keysOf: Record<Mode, string> = {
  typing: 'enter search · esc back · ctrl-c quit',
  list: '/ search · ↑↓ select · ←→ page · enter details · q quit',
  details: 'esc back · q quit',
}

function Row({ user, isSelected }: { user: User; isSelected: boolean }) {
  return (
    <Text wrap="truncate" inverse={isSelected}>
      {isSelected ? '›' : ' '} {String(user.id).padStart(7)} {user.username.padEnd(32)} {oneLine(user.fullName ?? '')}
    </Text>
  )
}

function Details({ user }: { user: User }) {
  const rows = {
    id: String(user.id),
    username: user.username,
    'e-mail': user.email ?? '',
    'full name': user.fullName ?? '',
    bio: user.bio ?? '',
    avatar: user.avatarUrl ?? '',
    created: user.createdAt,
    updated: user.updatedAt,
  }
  return Object.entries(rows).map(([name, value]) => (
    <Box key={name}>
      <Box width={12} flexShrink={0}>
        <Text dimColor>{name}</Text>
      </Box>
      <Text>{oneLine(value)}</Text>
    </Box>
  ))
}

/** What users wrote about themselves may hold line breaks, and commands to the terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
