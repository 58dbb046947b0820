import { isPinstackError } from '@pinstack/sdk'
import { usePinstack } from '@pinstack/sdk/react'
import { useState, type FormEvent } from 'react'
import { Field } from './field.tsx'
import { Logo } from './icons.tsx'

export function SignIn({ notice }: { notice?: string | undefined }) {
  const pinstack = usePinstack()
  const [isNew, setIsNew] = useState(true)
  const [error, setError] = useState<unknown>()
  const [isBusy, setIsBusy] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const value = (name: string) => String(form.get(name) ?? '').trim()
    const password = String(form.get('password'))
    setIsBusy(true)
    setError(undefined)
    try {
      if (isNew) await pinstack.register({ username: value('username'), email: value('email'), password })
      else await pinstack.login({ login: value('login'), password })
      window.location.hash = '#/'
    } catch (cause) {
      setError(cause)
      setIsBusy(false)
    }
  }

  const taken = isPinstackError(error, 'users.username_taken') ? 'Somebody has this name already.' : undefined
  const used = isPinstackError(error, 'users.email_taken') ? 'There is an account with this address already.' : undefined
  const wrong = isPinstackError(error, 'auth.invalid_credentials', 'users.not_found') ? 'No such account, or another password.' : undefined
  const byField = (path: string) => (isPinstackError(error) ? error.issues.find((issue) => issue.path === path)?.message : undefined)
  const isKnown = taken ?? used ?? wrong ?? (isPinstackError(error, 'input.invalid') || undefined)

  return (
    <main className="welcome">
      <section className="welcome-words">
        <Logo />
        <h1>Pin what matters.</h1>
        <p>Corkboard is a small place for notes worth sharing: post them, tag them, follow the people whose notes you like.</p>
      </section>
      <form className="card welcome-form" onSubmit={submit} key={isNew ? 'new' : 'known'}>
        <h2>{isNew ? 'Make an account' : 'Welcome back'}</h2>
        {notice && !error && <p className="notice">{notice}</p>}
        {isNew ? (
          <>
            <Field
              name="username"
              label="Username"
              autoComplete="username"
              required
              minLength={3}
              maxLength={32}
              error={taken ?? byField('username')}
            />
            <Field name="email" label="E-mail" type="email" autoComplete="email" required error={used ?? byField('email')} />
          </>
        ) : (
          <Field name="login" label="Username or e-mail" autoComplete="username" required error={wrong} />
        )}
        <Field
          name="password"
          label="Password"
          type="password"
          autoComplete={isNew ? 'new-password' : 'current-password'}
          required
          minLength={8}
          hint={isNew ? 'Eight characters or more' : undefined}
          error={byField('password')}
        />
        {error !== undefined && !isKnown && (
          <p className="notice bad">
            {isPinstackError(error, 'network', 'timeout') ? 'The server does not answer. Is it running?' : (error as Error).message}
          </p>
        )}
        <button className="primary wide" disabled={isBusy}>
          {isNew ? 'Create account' : 'Sign in'}
        </button>
        <p className="switch">
          {isNew ? 'You have one already?' : 'New here?'}{' '}
          <button type="button" className="link" onClick={() => (setIsNew(!isNew), setError(undefined))}>
            {isNew ? 'Sign in' : 'Make an account'}
          </button>
        </p>
      </form>
    </main>
  )
}
