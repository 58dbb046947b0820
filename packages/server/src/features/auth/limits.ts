import type { RateLimit } from '../../ports/rate-limiter.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Generous for people, also for many behind one address; strict for whoever guesses passwords. */
export const limits = {
  /** All attempts, right or wrong: an office behind one address signs in at nine o'clock. */
  loginPerAddress: { name: 'login_address', max: 60, windowMs: minuteMs },
  /** Failures of one address at one account: more than a person who has forgotten which password it was. */
  loginPerAddressAndAccount: { name: 'login_address_account', max: 10, windowMs: 15 * minuteMs },
  /** Failures at one account from anywhere. High, since whoever reaches it keeps the owner from signing in for a while. */
  loginPerAccount: { name: 'login_account', max: 100, windowMs: 15 * minuteMs },
  /** A class room registers at once; a robot goes on. */
  registerPerAddress: { name: 'register_address', max: 60, windowMs: hourMs },
  /** A client refreshes every 15 minutes; 120 a minute are 1,800 clients behind one address. */
  refreshPerAddress: { name: 'refresh_address', max: 120, windowMs: minuteMs },
  /** Failures: whoever holds a stolen access token must not find out the password with it. */
  changePasswordPerAccount: { name: 'change_password', max: 10, windowMs: 15 * minuteMs },
  /** The token has 256 bits; this only keeps the noise down. */
  setupPerAddress: { name: 'setup_address', max: 20, windowMs: hourMs },
} as const satisfies Record<string, RateLimit>
