import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium']

/** The machine's own Chromium, headless. `CHROMIUM` says where it is when it is elsewhere. */
export async function openChromium(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? places.find((place) => existsSync(place))
  if (!executablePath || !existsSync(executablePath))
    throw new Error('These tests need Chromium: `apt-get install chromium`, or say where it is with CHROMIUM=/path/to/chromium.')
  const isRoot = process.getuid?.() === 0
  return chromium.launch({ executablePath, args: isRoot ? ['--no-sandbox'] : [] }) // its sandbox does not work for root
}
