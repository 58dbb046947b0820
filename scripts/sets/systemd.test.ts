import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { missing, pinstack } from './programs.ts'

const withoutSystemd = missing('systemd-analyze', 'systemd')
/** Of 100, where 0 is the least exposed: `systemd-analyze security` counts what a service could still do. */
const exposureMax = 20
const units = ['pinstack.service', 'pinstack-api@1.service', 'pinstack-worker.service', 'pinstack-migrate.service']

describe.skipIf(withoutSystemd !== '')(`the systemd set, read by systemd-analyze${withoutSystemd}`, () => {
  let dir: string
  const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { cwd: dir, encoding: 'utf8' })

  beforeAll(() => {
    dir = join(mkdtempSync(join(tmpdir(), 'pinstack-systemd-')), 'set')
    pinstack('deploy', 'systemd', '--directory', dir, '--database', 'postgres://u:p@db/p', '--domain', 'social.example.com')
    copyFileSync(join(dir, 'pinstack-api@.service'), join(dir, 'pinstack-api@1.service')) // a template is read as an instance
  })

  test('has these units', () => {
    expect(
      readdirSync(dir)
        .filter((name) => name.endsWith('.service'))
        .sort(),
    ).toEqual([...units, 'pinstack-api@.service'].sort())
  })

  test.each(units)('%s is understood, every line of it, and confined', (unit) => {
    const { status, stdout, stderr } = analyze('verify', '--man=no', `./${unit}`)
    expect([status, stdout + stderr]).toEqual([0, ''])
    const confined = analyze('security', '--offline=true', `--threshold=${exposureMax}`, `./${unit}`)
    expect([confined.status, confined.stdout]).toEqual([0, expect.stringContaining('Overall exposure level')])
  })

  test('a misspelt line would be found, and so would a service that is not confined', () => {
    const text = readFileSync(join(dir, 'pinstack.service'), 'utf8')
    writeFileSync(join(dir, 'broken.service'), text.replace('ProtectHome=yes', 'ProtectHom=yes'))
    expect(analyze('verify', '--man=no', './broken.service').stderr).toContain('ProtectHom')
    writeFileSync(join(dir, 'open.service'), text.replaceAll(/^(Protect|Restrict|Private|System|Capab)\w*=.*\n/gm, ''))
    expect(analyze('security', '--offline=true', `--threshold=${exposureMax}`, './open.service').status).not.toBe(0)
  })

  test.each(['install.sh', 'pinstack-admin'])('%s is a script that a plain shell reads', (name) => {
    expect(spawnSync('sh', ['-n', join(dir, name)], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
    expect(readFileSync(join(dir, name), 'utf8')).not.toMatch(/@@[A-Z_]+@@/)
  })
})
