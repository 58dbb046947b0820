import { defineErrors } from '../../core/errors.ts'

export const adminErrors = defineErrors('admin', {
  own_account: ['conflict', 'not on your own account'],
  session_not_found: ['not_found', 'session not found'],
  letter_not_found: ['not_found', 'dead letter not found'],
})

/** In Unicode code points. */
export const reasonLimits = { min: 1, max: 500 } as const
export const searchLimits = { min: 0, max: 256 } as const
export const pageLimits = { min: 1, max: 100, default: 50 } as const

/** What one transaction of a replay does: on SQLite nobody else writes meanwhile. */
export const replayLimits = { min: 1, max: 500, default: 200 } as const

/** Whom a list of users has: all, those with more than a user's rights, or those that are shut out now. */
export const userKinds = ['all', 'staff', 'suspended'] as const
export type UserKind = (typeof userKinds)[number]
