import type { OpenedApp } from '@pinstack/server/open-app'
import { readSettings, type SettingOptions } from './settings.ts'
import { say } from './terminal.ts'

/** Opens the configured data, brings it up to date, and closes it when `work` is done. A server may run on it meanwhile. */
export async function withApp<T>(options: SettingOptions, work: (opened: OpenedApp) => Promise<T>): Promise<T> {
  const { config } = readSettings(options)
  const { openApp } = await import('@pinstack/server/open-app')
  const opened = await openApp(config, { migrate: true, onWaiting: (reason) => say(`${reason} …`) })
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}
