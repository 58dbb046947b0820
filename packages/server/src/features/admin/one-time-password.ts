import { randomInt } from 'node:crypto'

/** Without those that are taken for each other. */
const letters = 'abcdefghijkmnpqrstuvwxyz23456789'

/** One that is said over the phone: four groups of five, 99 bits. */
export function newPassword(): string {
  const group = () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('')
  return Array.from({ length: 4 }, group).join('-')
}
