import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type AptSourceOptions, aptSources } from '../../sdk/distro/apt-sources.js'
import { isLeftOut, pathOptions } from '../../sdk/distro/deb-left-out.js'
import { tempDir } from '../lane.js'

interface Row {
  readonly options: AptSourceOptions
  readonly architecture?: string
  readonly codename?: string
  readonly lines: readonly string[]
  readonly fixed?: boolean
}

const snapshot = 'https://snapshot.debian.org/archive'
const rows: Readonly<Record<string, Row>> = {
  'a release with its updates': {
    options: { suite: 'bookworm' },
    lines: [
      'deb http://deb.debian.org/debian bookworm main',
      'deb http://deb.debian.org/debian bookworm-updates main',
      'deb http://deb.debian.org/debian-security bookworm-security main',
    ],
  },
  'a rolling suite alone, with components': {
    options: { suite: 'sid', component: ['main', 'contrib,non-free'] },
    lines: ['deb http://deb.debian.org/debian sid main contrib non-free'],
  },
  'a suite with its suffix alone': {
    options: { suite: 'trixie-backports' },
    lines: ['deb http://deb.debian.org/debian trixie-backports main'],
  },
  'Ubuntu for another architecture': {
    options: { suite: 'noble', component: ['main'] },
    architecture: 'arm64',
    lines: ['', '-updates', '-security'].map((one) => `deb http://ports.ubuntu.com/ubuntu-ports noble${one} main`),
  },
  'a day of the past': {
    options: { suite: 'bookworm', snapshot: '2024-02-03' },
    lines: [
      `deb [check-valid-until=no] ${snapshot}/debian/20240203T000000Z bookworm main`,
      `deb [check-valid-until=no] ${snapshot}/debian/20240203T000000Z bookworm-updates main`,
      `deb [check-valid-until=no] ${snapshot}/debian-security/20240203T000000Z bookworm-security main`,
    ],
    fixed: true,
  },
  'a day of Ubuntu’s past': {
    options: { suite: 'jammy-updates', snapshot: '20240203T040506Z', component: ['main'] },
    lines: ['deb [check-valid-until=no] https://snapshot.ubuntu.com/ubuntu/20240203T040506Z jammy-updates main'],
    fixed: true,
  },
  'a mirror, which has nothing else': {
    options: { suite: 'anything', mirror: 'https://mirror.example/debian' },
    lines: ['deb https://mirror.example/debian anything main'],
  },
  'what the container itself says': {
    options: {},
    codename: 'forky',
    lines: ['', '-updates']
      .map((one) => `deb http://deb.debian.org/debian forky${one} main`)
      .concat('deb http://deb.debian.org/debian-security forky-security main'),
  },
  'a source, and no suite of the container’s': {
    options: { source: ['  deb [arch=amd64] https://packages.example/apt stable main '] },
    codename: 'bookworm',
    lines: ['deb [arch=amd64] https://packages.example/apt stable main'],
  },
}
for (const [title, { options, architecture = 'amd64', codename, lines, fixed = false }] of Object.entries(rows))
  test(`sources: ${title}`, (t) => {
    const keyring = join(tempDir(t), 'keys.gpg')
    writeFileSync(keyring, 'keys')
    const found = aptSources({ keyring, ...options }, architecture, codename ? { codename } : {}, 'apt install')
    assert.deepEqual(found, { lines, keyrings: [keyring], fromHost: false, fixed })
  })

test('what is left out is the same for dpkg and for extraction', () => {
  const paths: Readonly<Record<string, boolean>> = {
    'usr/share/doc/a/README': true,
    'usr/share/doc/a/copyright': false,
    'usr/share/doc/a/sub/copyright': false,
    'usr/share/man/man1/a.1.gz': true,
    'usr/share/locale/de/LC_MESSAGES/a.mo': false,
    'usr/share/locale/de_AT/LC_MESSAGES/a.mo': false,
    'usr/share/locale/den/LC_MESSAGES/a.mo': true,
    'usr/share/locale/locale.alias': false,
    'usr/share/zoneinfo/UTC': false,
    'usr/lib/doc/a': false,
  }
  const selection = { docs: false, langs: ['de'] }
  for (const [path, left] of Object.entries(paths)) assert.equal(isLeftOut(path, selection), left, path)
  assert.deepEqual(pathOptions({ docs: true, langs: ['all'] }), [])
  // dpkg: the last option that fits counts, and * fits a slash.
  const options = pathOptions(selection).map((one) => /^--path-(\w+)=(.*)$/.exec(one) as RegExpExecArray)
  for (const [path, left] of Object.entries(paths)) {
    const fits = options.filter(([, , glob = '']) => new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(`/${path}`))
    assert.equal(fits.at(-1)?.[1] === 'exclude', left, `${path} ${fits.at(-1)}`)
  }
})
