import { isIPv6 } from 'node:net'

/** What is counted as one caller: an IPv4 address, or the /64 of an IPv6 address, since each subscriber has a whole one. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '')
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.replace(/%.*$/, '').split('::')
  const groups = head === '' ? [] : head.split(':')
  const tailGroups = tail ? tail.split(':').length : 0
  const zeros = tail === undefined ? 0 : 8 - groups.length - tailGroups
  const all = [...groups, ...Array<string>(Math.max(0, zeros)).fill('0'), ...(tail ? tail.split(':') : [])]
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
