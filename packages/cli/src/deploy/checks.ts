import { isIP } from 'node:net'
import { wrongUse } from '../terminal.ts'
import { composeExtras } from './compose-set.ts'

const domainLengthMax = 253
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const domainPattern = new RegExp(`^(?:${label}[.])+${label}$`)
const textLengthMax = 4_096

/** Each returns what it was given, or says what is wrong with it; `undefined` was not given. Values reach files that other programs read. */
export function checkDomain(value: string | undefined): string | undefined {
  if (!value) return value // empty: none any more
  const domain = value.toLowerCase()
  if (domain.length > domainLengthMax || !domainPattern.test(domain)) {
    throw wrongUse(`--domain takes a name such as social.example.com, without https:// and a path, not ${JSON.stringify(value)}.`)
  }
  return domain
}

export function checkBind(value: string | undefined): string | undefined {
  if (value === undefined || isIP(value) === 4) return value
  throw wrongUse(`--bind takes an IPv4 address of this machine, such as 127.0.0.1, not ${JSON.stringify(value)}.`)
}

export function checkExtras(value: string | undefined): string[] | undefined {
  if (value === undefined) return undefined
  const names = value.split(',').map((name) => name.trim())
  for (const name of names) {
    if (name === 'none' || name === '' || composeExtras.some((known) => known === name)) continue
    throw wrongUse(`--with takes any of ${composeExtras.join(', ')}, or none, not ${JSON.stringify(name)}.`)
  }
  return names.filter((name) => name !== 'none' && name !== '')
}

export function checkNamespace(value: string | undefined): string | undefined {
  if (value === undefined || (new RegExp(`^${label}$`).test(value) && !value.startsWith('kube-'))) return value
  throw wrongUse(`--namespace takes a name of small letters, digits and hyphens, not ${JSON.stringify(value)}.`)
}

export function checkImage(value: string | undefined): string | undefined {
  if (value === undefined || /^[a-z0-9][a-z0-9._/-]*(?::\d+\/[a-z0-9._/-]+)?(?::[\w][\w.-]{0,127})?$/.test(value)) return value
  throw wrongUse(`--image takes a name such as registry.example.com/pinstack:1.0.0, not ${JSON.stringify(value)}.`)
}

/** @NOTE a message never repeats the value: it holds a password. */
export function checkUrl(value: string | undefined, { flag, schemes }: { flag: string; schemes: string[] }): string | undefined {
  if (value === undefined || (value === '' && flag === '--redis')) return value
  const parsed = URL.canParse(value) ? new URL(value) : undefined
  const isPlain = /^[\x21-\x7e]+$/.test(value) && value.length <= textLengthMax
  if (parsed && isPlain && parsed.hostname && schemes.includes(parsed.protocol)) return value
  throw wrongUse(`${flag} takes a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')} and names a host.`)
}

export function checkBrokers(value: string | undefined): string | undefined {
  if (!value) return value
  const isBroker = (text: string) => /^[\w.-]+:\d{1,5}$/.test(text.trim())
  if (value.length <= textLengthMax && value.split(',').every(isBroker)) return value
  throw wrongUse(`--kafka takes brokers as HOST:PORT, separated by commas, not ${JSON.stringify(value)}.`)
}
