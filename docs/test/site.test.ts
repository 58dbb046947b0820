import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { faultsOf } from '../site/faults.ts'
import { siteLinks } from '../site/links.ts'

describe('a built site', () => {
  const faultsIn = (pages: Record<string, string>) => {
    const dir = mkdtempSync(join(tmpdir(), 'pinstack-site-'))
    onTestFinished(() => rmSync(dir, { recursive: true }))
    for (const [name, html] of Object.entries(pages)) writeFileSync(join(dir, name), html)
    return faultsOf(dir, '1.2.3')
  }

  it('is well when its links lead somewhere and each page says its version', () => {
    const good = '<h2 id="a&quot;b">Pinstack 1.2.3</h2><a class="x" href="/other#there">x</a><a href="https://example.com/#x">y</a>'
    expect(faultsIn({ 'index.html': good, 'other.html': '<p id="there">Pinstack 1.2.3</p>' })).toEqual([])
  })

  it('is not when a place is missing, a version is, or something would be fetched from elsewhere', () => {
    expect(
      faultsIn({
        'one.html': '<a href="#gone">x</a><a href="/two#gone">y</a><script src="https://cdn.example.com/x.js"></script>',
        'two.html': 'Pinstack 1.2.4',
      }),
    ).toEqual([
      '/one.html links to #gone, and there is no such place',
      '/one.html links to /two#gone, and there is no such place',
      '/one.html does not say that it is about version 1.2.3',
      '/one.html fetches https://cdn.example.com/x.js',
      '/two.html does not say that it is about version 1.2.3',
    ])
  })

  it('is not when it is empty', () => {
    expect(faultsIn({})).toHaveLength(1)
  })
})

describe('a link of a page', () => {
  const all = [
    { source: 'docs/config.md', route: 'config', title: '' },
    { source: 'packages/sdk/README.md', route: 'sdk', title: '' },
  ]
  const shown = (markdown: string, source = 'docs/rest.md') => siteLinks(markdown, { source, all, copy: (file) => `/copied/${file}` })

  it('leads to the page of that file, wherever both are', () => {
    expect(shown('[a](config.md#http), [b](../packages/sdk/README.md)')).toBe('[a](/config#http), [b](/sdk)')
    expect(shown('[a](../../docs/config.md)', 'packages/sdk/README.md')).toBe('[a](/config)')
  })

  it('leads to the repository where the site has no such page', () => {
    expect(shown('[a](../LICENSE) [b](../examples)')).toBe(
      '[a](https://github.com/pinstack/pinstack/blob/main/LICENSE) [b](https://github.com/pinstack/pinstack/tree/main/examples)',
    )
  })

  it('is left alone when it leads elsewhere, or stands in code', () => {
    const text = '[a](https://example.com) [b](#here)\n```md\n[c](gone.md)\n```\n'
    expect(shown(text)).toBe(text)
  })

  it('takes a picture along', () => {
    expect(shown('![a](public/logo.svg)')).toBe('![a](/copied/docs/public/logo.svg)')
    expect(shown('<img alt="a" src="public/logo.svg" />')).toBe('<img alt="a" src="/copied/docs/public/logo.svg" />')
  })

  it('fails where it leads to nothing', () => {
    expect(() => shown('[a](gone.md)')).toThrow('docs/rest.md links to gone.md, and there is no such file')
  })
})
