import type { Generated } from 'kysely'

export interface UserTables {
  user: {
    id: Generated<number>
    username: string
    /** As compared: unique, and null once the account is deleted, so that the name is free again. */
    usernameFolded: string | null
    email: string
    emailFolded: string | null
    fullName: string | null
    /** As searched. */
    fullNameFolded: string | null
    bio: string | null
    avatarUrl: string | null
    createdAt: string
    updatedAt: string
    /** Since then nobody sees the row; it only waits until all that hangs on it is gone. */
    deletedAt: string | null
  }
}
