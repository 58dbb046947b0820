import { defineErrors } from './errors.ts'
import { isStorableText, isWithin } from './text.ts'
import { isWebUrl } from './web-url.ts'

/** Both features of accounts say this, so that a client asks for one code. */
export const accountErrors = defineErrors('users', {
  not_found: ['not_found', 'user not found'],
})

/** Bounds of what an account holds, in Unicode code points unless stated. One rule for every surface. */
export const accountLimits = {
  username: { min: 3, max: 32 },
  email: { min: 3, max: 254 }, // RFC 5321, 4.5.3.1.3, without the angle brackets
  password: { min: 8, max: 128 },
  fullName: { min: 0, max: 100 },
  bio: { min: 0, max: 500 },
  avatarUrl: { min: 0, max: 2048 },
} as const

/** Letters and digits of any script, `_`, `.` and `-`. No `@`: what is typed at login is either a username or an e-mail address. */
export function isUsername(text: string): boolean {
  return /^[\p{L}\p{N}_.-]+$/u.test(text) && isWithin(text, accountLimits.username)
}

export function isPassword(text: string): boolean {
  return isStorableText(text) && isWithin(text, accountLimits.password)
}

export function isAvatarUrl(text: string): boolean {
  return isWithin(text, accountLimits.avatarUrl) && isWebUrl(text)
}

const atext = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-\\u{A0}-\\u{10FFFF}]"
const localSyntax = new RegExp(`^(?:${atext}+(?:\\.${atext}+)*|"(?:[^"\\\\\\r\\n]|\\\\[^\\r\\n])*")$`, 'u')
const labelSyntax = /^[A-Za-z0-9\u{A0}-\u{10FFFF}](?:[A-Za-z0-9~\-\u{A0}-\u{10FFFF}]*[A-Za-z0-9\u{A0}-\u{10FFFF}])?$/u
const lastLabelSyntax = /^[A-Za-z\u{A0}-\u{10FFFF}](?:.*[A-Za-z\u{A0}-\u{10FFFF}])?$/u

/**
 * Whether it is an address at all: REST-V1 1.8, "e-mail syntax". Quoted local parts and letters of any script are.
 * Every step is linear in the length: the one regular expression that v1 uses for this is not.
 */
export function isEmailSyntax(text: string): boolean {
  if (!isStorableText(text) || !isWithin(text, accountLimits.email)) return false
  const at = text.lastIndexOf('@')
  const labels = text
    .slice(at + 1)
    .replace(/\.$/, '')
    .split('.')
  return (
    at > 0 &&
    localSyntax.test(text.slice(0, at)) &&
    labels.length >= 2 &&
    labels.every((label) => labelSyntax.test(label)) &&
    lastLabelSyntax.test(labels.at(-1)!)
  )
}

/** The narrower form that an account may have, and that a login is taken for: REST-V1 1.8, "plain e-mail". */
export function isPlainEmail(text: string): boolean {
  return /^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$/.test(text)
}
