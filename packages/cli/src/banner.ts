import { styled } from './terminal.ts'

export interface BannerFacts {
  version: string
  /** Empty for a process that serves none. */
  apiUrl: string
  /** Of each process. */
  metricsUrls: readonly string[]
  storage: string
  /** While there is no admin. */
  setupToken: string | undefined
  /** Options that lead another command to the same data; empty for the defaults. */
  sameData: string
}

/** What a start has to say: what runs where, how to become admin, what to try, what next. */
export function banner({ version, apiUrl, metricsUrls, storage, setupToken, sameData }: BannerFacts): string {
  const url = apiUrl.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
  const row = (name: string, value: string) => `  ${styled('dim', name.padEnd(10))}${value}`
  const link = (text: string) => styled('cyan', text)
  const metrics = metricsUrls.map((address, index) => row(index === 0 ? 'Metrics' : '', link(address)))
  const running = `  ${styled('bold', `Pinstack ${version}`)} is running. Ctrl-C stops it.`
  if (apiUrl === '') return ['', running, '', row('Role', 'worker: consumers and jobs'), ...metrics, row('Storage', storage), ''].join('\n')
  return [
    '',
    running,
    '',
    row('API', link(url)),
    row('API docs', link(`${url}/docs`)),
    ...metrics,
    row('Storage', storage),
    ...(setupToken
      ? [
          row('Admin', `none yet. Open ${link(`${url}/setup#token=${setupToken}`)}`),
          row('', `or, once registered: npx pinstack admin grant NAME${sameData}`),
        ]
      : [row('Admin', `npx pinstack admin --url ${url}`)]),
    ...(url === apiUrl
      ? []
      : ['', `  ${styled('yellow', 'It listens on every address of this machine: put HTTPS in front of it before others use it.')}`]),
    '',
    '  Register a user:',
    '',
    `    curl ${url}/api/v1/auth/register -H 'Content-Type: application/json' \\`,
    '      -d \'{"username":"ada","email":"ada@example.com","password":"correct horse"}\'',
    '',
    `  Next: npm install @pinstack/sdk, and in your app: createPinstack({ url: '${url}' })`,
    '',
  ].join('\n')
}
