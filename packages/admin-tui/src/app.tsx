import type { Me, Pinstack } from '@pinstack/sdk'
import { Box, render, Text, useApp, useInput, useWindowSize } from 'ink'
import { useState } from 'react'
import { HealthPanel } from './health-panel.tsx'
import { LoginScreen } from './login-screen.tsx'
import { useAdminCheck } from './use-admin-check.ts'
import { UsersPanel } from './users-panel.tsx'

export interface AdminOptions {
  /** Of the server; the login screen offers it. */
  url: string
}

/**
 * Opens the admin terminal on this process's terminal, and resolves when it is left. Only an admin gets past the login.
 *
 * Rejects without drawing anything when standard input or output is no terminal.
 */
export async function openAdmin({ url }: AdminOptions): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw new Error('The admin terminal needs a terminal.')
  await render(<App url={url} />, { alternateScreen: true, exitOnCtrlC: true }).waitUntilExit()
}

interface SignedIn {
  url: string
  pinstack: Pinstack
  me: Me
}

/** The login, then the dashboard. Losing the session or the role leads back to the login. */
export function App({ url: urlOffered }: AdminOptions) {
  const [signedIn, setSignedIn] = useState<SignedIn>()
  const [url, setUrl] = useState(urlOffered)
  const [notice, setNotice] = useState<string>()

  function enter(next: SignedIn): void {
    next.pinstack.onAuthChange((change) => {
      if (change.state === 'signed_in' || change.reason === 'logout') return
      setNotice('The session has ended. Please sign in again.')
      setSignedIn(undefined)
    })
    setNotice(undefined)
    setUrl(next.url)
    setSignedIn(next)
  }

  function leaveRefused({ pinstack, me }: SignedIn): void {
    setNotice(`${me.username} is no longer an admin.`)
    setSignedIn(undefined)
    pinstack.logout().catch(() => {})
  }

  if (signedIn) return <Dashboard {...signedIn} onRoleLost={() => leaveRefused(signedIn)} />
  return <LoginScreen url={url} notice={notice} onSignedIn={enter} />
}

const rowsMin = 16
/** Title, health, search, keys, and a line for a problem. */
const rowsAround = 10
const columnsMin = 60

function Dashboard({ url, pinstack, me, onRoleLost }: SignedIn & { onRoleLost: () => void }) {
  const { exit } = useApp()
  const { rows, columns } = useWindowSize()
  const [isTyping, setIsTyping] = useState(false)
  const [isLeaving, setIsLeaving] = useState(false)

  useAdminCheck(pinstack, onRoleLost)
  useInput((input) => {
    if (input !== 'q' || isTyping || isLeaving) return
    setIsLeaving(true)
    pinstack
      .logout({ timeoutMs: 2_000 })
      .catch(() => {})
      .finally(exit) // whether the server hears of it or not
  })

  const fits = rows >= rowsMin && columns >= columnsMin
  return (
    <Box flexDirection="column" height={rows - 1} width={columns}>
      {!fits && (
        <Text>
          Make the terminal at least {columnsMin} columns wide and {rowsMin} rows high.
        </Text>
      )}
      <Box flexDirection="column" flexGrow={1} display={fits ? 'flex' : 'none'}>
        <Box justifyContent="space-between">
          <Text bold>Pinstack admin </Text>
          <Text dimColor wrap="truncate-start">
            {url} {me.username}
          </Text>
        </Box>
        <HealthPanel url={url} />
        <UsersPanel pinstack={pinstack} rows={Math.max(1, rows - rowsAround)} onTyping={setIsTyping} />
      </Box>
    </Box>
  )
}
