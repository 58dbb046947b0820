import { accountLimits, isAvatarUrl, isEmailSyntax, isUsername } from '../core/account.ts'
import { text } from './fields.ts'

// Fields of accounts that more than one feature asks for. The rules themselves are in core/account.ts.

export const username = text(accountLimits.username)
  .refine(isUsername, 'Expected letters, digits, _, . and -')
  .meta({ examples: ['ann_marie'] })

/** @NOTE an address that is not of the plain form passes: that has an error of its own, `users.invalid_email`. */
export const email = text(accountLimits.email)
  .refine(isEmailSyntax, 'Expected an e-mail address')
  .meta({ format: 'email', examples: ['ann@example.com'] })

export const newPassword = text(accountLimits.password).meta({ format: 'password', examples: ['correct horse battery'] })

/** One to sign in with. Its upper bound is far above what any account has: a long guess is wrong, not malformed. */
export const givenPassword = text({ min: 6, max: 1024 }).meta({ format: 'password', examples: ['correct horse battery'] })

/** A username or an e-mail address. */
export const login = text({ min: 1, max: accountLimits.email.max }).meta({ examples: ['ann_marie'] })

export const fullName = text(accountLimits.fullName).meta({ examples: ['Ann-Marie Miller'] })
export const bio = text(accountLimits.bio)
export const avatarUrl = text(accountLimits.avatarUrl)
  .refine(isAvatarUrl, 'Expected an http or https URL')
  .meta({ format: 'uri', examples: ['https://example.com/ann.png'] })
