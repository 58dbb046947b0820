import { createPinstack, isPinstackError, type Me, type Pinstack } from '@pinstack/sdk'
import { PasswordInput, Spinner, TextInput } from '@inkjs/ui'
import { Box, Text } from 'ink'
import { useState, type ReactNode } from 'react'

interface LoginScreenProps {
  url: string
  /** Why one is here again. */
  notice: string | undefined
  onSignedIn: (signedIn: { url: string; pinstack: Pinstack; me: Me }) => void
}

/** Someone is looking at the screen. */
const timeoutMs = 10_000

type Step = 'url' | 'login' | 'password' | 'waiting'

/** Asks for server, account and password, one after the other. Lets nobody through who is not an admin. */
export function LoginScreen({ url: urlOffered, notice, onSignedIn }: LoginScreenProps) {
  const [step, setStep] = useState<Step>('url')
  const [url, setUrl] = useState(urlOffered)
  const [login, setLogin] = useState('')
  const [problem, setProblem] = useState(notice)

  function failed(message: string, next: Step): void {
    if (next === 'login') setLogin('')
    setProblem(message)
    setStep(next)
  }

  async function signIn(password: string): Promise<void> {
    setStep('waiting')
    setProblem(undefined)
    try {
      const pinstack = createPinstack({ url, timeoutMs })
      const me = await pinstack.login({ login, password })
      if (me.role === 'admin') return onSignedIn({ url, pinstack, me })
      await pinstack.logout().catch(() => {})
      failed(`${me.username} is not an admin. On the server's machine: pinstack admin grant ${me.username}`, 'login')
    } catch (error) {
      failed(...explain(error, url))
    }
  }

  return (
    <Box flexDirection="column" padding={1}>
      <Text bold>Pinstack admin</Text>
      <Box flexDirection="column" marginY={1}>
        <Field name="Server" value={url} isActive={step === 'url'}>
          <TextInput
            defaultValue={url}
            onSubmit={(text) => {
              if (!isWebUrl(text)) return setProblem('The server is an http or https URL.')
              setProblem(undefined)
              setUrl(text)
              setStep('login')
            }}
          />
        </Field>
        {step !== 'url' && (
          <Field name="Login" value={login} isActive={step === 'login'}>
            <TextInput
              defaultValue={login}
              placeholder="username or e-mail"
              onSubmit={(text) => {
                if (text === '') return
                setLogin(text)
                setStep('password')
              }}
            />
          </Field>
        )}
        {step === 'password' && (
          <Field name="Password" value="" isActive>
            <PasswordInput onSubmit={(text) => void signIn(text)} />
          </Field>
        )}
      </Box>
      {step === 'waiting' && <Spinner label="Signing in" />}
      {problem && <Text color="red">{problem}</Text>}
      <Text dimColor>enter next · ctrl-c quit</Text>
    </Box>
  )
}

function Field({ name, value, isActive, children }: { name: string; value: string; isActive: boolean; children: ReactNode }) {
  return (
    <Box>
      <Box width={10}>
        <Text dimColor={!isActive}>{name}</Text>
      </Box>
      {isActive ? children : <Text dimColor>{value}</Text>}
    </Box>
  )
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

/** The sentence, and the step to go back to. */
function explain(error: unknown, url: string): [message: string, next: Step] {
  if (isPinstackError(error, 'network', 'timeout')) return [`${url} does not answer.`, 'url']
  if (isPinstackError(error, 'bad_response')) return [`${url} is not a Pinstack server.`, 'url']
  if (isPinstackError(error, 'users.not_found')) return ['There is no such account.', 'login']
  if (isPinstackError(error, 'auth.invalid_credentials')) return ['The password is wrong.', 'password']
  return [error instanceof Error ? error.message : String(error), 'login']
}
