import type { Route } from '../rest/route.ts'

const methods = ['GET', 'POST', 'PUT', 'DELETE']
const auths = ['open', 'optional', 'required']
const path = /^(\/[\w.-]+|\/\{\w+\})+$/

/** What is wrong with one of the routes of a feature, as the end of a sentence; undefined when nothing is. `others` are those that are there. */
export function faultOfRoutes(name: string, routes: readonly Route[], others: readonly Route[]): string | undefined {
  if (!Array.isArray(routes)) return 'has routes that are no list'
  const seen = [...others]
  for (const route of routes) {
    const fault = faultOf(route)
    if (fault !== undefined) return `has a route ${String(route?.name)} ${fault}`
    if (!route.name.startsWith(`${name}.`)) return `has a route ${route.name}, which does not begin with ${name}.`
    const other = seen.find((one) => one.name === route.name || isSamePlace(one, route))
    if (other) return `has a route ${route.name} (${route.method} ${route.path}) where ${other.name} is already`
    seen.push(route)
  }
  return undefined
}

function faultOf(route: Route): string | undefined {
  if (typeof route?.name !== 'string') return 'without a name'
  if (!methods.includes(route.method)) return `whose method is none of ${methods.join(', ')}`
  if (!auths.includes(route.auth)) return `whose auth is none of ${auths.join(', ')}`
  if (!path.test(route.path)) return `whose path ${route.path} is not like /reaction/{post_id}`
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter!)
  const declared = Object.keys(route.params?.shape ?? {})
  const [lone] = [...inPath.filter((one) => !declared.includes(one)), ...declared.filter((one) => !inPath.includes(one))]
  if (lone !== undefined) return `whose path and params do not both have ${lone}`
  if (typeof (route.events ? route.open : route.handle) !== 'function') return 'without a function handle'
  return undefined
}

/** Whatever the parameters in it are called. */
function isSamePlace(a: Route, b: Route): boolean {
  const place = ({ method, path }: Route) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`
  return place(a) === place(b)
}
