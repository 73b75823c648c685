import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type DnfSwitches, dnfArguments } from '../../sdk/distro/dnf-arguments.js'
import { type DnfPlaces, type DnfSettings, dnfConfig, repositoryText, rpmMacros } from '../../sdk/distro/dnf-config.js'
import { dnfFailure } from '../../sdk/distro/dnf-failure.js'
import { findDnf } from '../../sdk/distro/dnf-program.js'
import { parseDnfRequest } from '../../sdk/distro/dnf-request.js'
import { tempDir } from '../lane.js'

const places: DnfPlaces = {
  root: '/store/tmp/a/merged',
  state: '/store/tmp/b',
  cache: '/store/tmp/b/cache',
  reposdir: ['repos'],
  varsdir: ['vars'],
  dbpath: '/usr/lib/sysimage/rpm',
}
const install = parseDnfRequest(['install', 'b', 'a'], '/')
const question = parseDnfRequest(['repoquery', 'a'], '/')
const plain: DnfSwitches = { offline: false, enableModules: [], destination: '/rpms' }

const lines: readonly (readonly [string, readonly (readonly string[])[], readonly (readonly string[])[]])[] = [
  [
    'dnf 4',
    dnfArguments('dnf4', install, plain, places),
    [['-y', '-c', '/store/tmp/b/dnf.conf', '--installroot=/store/tmp/a/merged', 'install', 'a', 'b']],
  ],
  [
    'dnf 4 with everything, a question',
    dnfArguments(
      'dnf4',
      question,
      { releasever: '40', forcearch: 'aarch64', offline: true, enableModules: ['m:1'], destination: '/rpms' },
      places,
    ),
    ['module enable m:1', '-q repoquery a'].map((words) => [
      ...['-y', '-c', '/store/tmp/b/dnf.conf', '--installroot=/store/tmp/a/merged', '--releasever=40'],
      ...['--forcearch=aarch64', '-C', ...words.split(' ')],
    ]),
  ],
  [
    'dnf5',
    dnfArguments('dnf5', question, { ...plain, offline: true }, places),
    [
      [
        ...['-y', '--config=/store/tmp/b/dnf.conf', '--use-host-config', '--installroot=/store/tmp/a/merged'],
        ...['--setopt=cachedir=/store/tmp/b/cache', '--setopt=system_cachedir=/store/tmp/b/cache'],
        ...['--setopt=logdir=/store/tmp/b/log'],
        ...['--setopt=history_record=0', '--setopt=reposdir=repos', '--setopt=varsdir=vars'],
        ...['--setopt=persistdir=/../../b/history', '--setopt=system_state_dir=/../../b/system'],
        ...['--cacheonly', '-q', 'repoquery', 'a'],
      ],
    ],
  ],
  [
    'microdnf',
    dnfArguments('microdnf', question, plain, { ...places, reposdir: ['repos', '/etc/yum.repos.d'] }),
    [
      [
        ...['-y', '--config=/store/tmp/b/dnf.conf', '--noplugins', '--installroot=/store/tmp/a/merged'],
        ...['--setopt=cachedir=/store/tmp/b/cache', '--setopt=system_cachedir=/store/tmp/b/cache'],
        ...['--setopt=logdir=/store/tmp/b/log'],
        ...['--setopt=history_record=0', '--setopt=reposdir=repos,/etc/yum.repos.d', '--setopt=varsdir=vars'],
        ...['--setopt=persistdir=/store/tmp/b/history', 'repoquery', 'a'],
      ],
    ],
  ],
]
for (const [what, given, wanted] of lines) test(`the command line of ${what}`, () => assert.deepEqual(given, wanted))

const settings: DnfSettings = {
  repositories: [],
  repofiles: [],
  gpgcheck: true,
  weakDeps: false,
  docs: false,
  langs: [],
  exclude: ['x', 'y*'],
}

test('the configuration leads out of the root, and nothing of the host is read', () => {
  const text = dnfConfig(settings, places)
  for (const line of [
    'cachedir=/../../b/cache',
    'persistdir=/../../b/history',
    'gpgcheck=1',
    'install_weak_deps=0',
    'tsflags=nodocs',
    'excludepkgs=x,y*',
    'skip_if_unavailable=0',
    'reposdir=repos',
  ])
    assert.ok(text.split('\n').includes(line), `${line} in ${text}`)
  assert.match(
    dnfConfig({ ...settings, docs: true, weakDeps: true, gpgcheck: false }, places),
    /gpgcheck=0[\s\S]*deps=1\ntsflags=\n/,
  )
})

test('a repository and rpm are told what they need', () => {
  const text = repositoryText({ id: 'test', url: 'file:///r', gpgkeys: ['file:///a', 'file:///b'] })
  assert.equal(text, '[test]\nname=test\nbaseurl=file:///r\nenabled=1\ngpgkey=file:///a file:///b\n')
  assert.match(
    rpmMacros({ langs: ['fr', 'de'] }, '/var/lib/rpm'),
    /^%_dbpath \/var\/lib\/rpm\n[\s\S]*%_install_langs de:fr\n/,
  )
})

const bad: readonly (readonly [readonly string[], RegExp])[] = [
  [[], /dnf: no request is given; write for example: builder dnf CONTAINER install httpd/],
  [['instal', 'x'], /dnf instal: it is no request that dnf takes for a container; did you mean install\?/],
  [['shell'], /dnf shell: it is no request .*; write one of install, /],
  [['module', 'enabel'], /dnf module enabel: .*; did you mean module enable\?/],
  [['group'], /dnf group: it is no request that dnf takes for a container/],
]
for (const [words, message] of bad)
  test(`the request ${JSON.stringify(words)} is refused`, () =>
    assert.throws(() => parseDnfRequest(words, '/'), { code: 'USAGE', message }))

test('packages come in one order, files become absolute, and swap keeps its order', (t) => {
  const folder = tempDir(t)
  writeFileSync(join(folder, 'a.rpm'), '')
  assert.deepEqual(parseDnfRequest(['install', 'z', './a.rpm', 'b.rpm', 'z'], folder).words, [
    `${folder}/a.rpm`,
    'b.rpm',
    'z',
  ])
  assert.deepEqual(parseDnfRequest(['swap', 'z', 'a'], folder).words, ['z', 'a'])
  assert.deepEqual(parseDnfRequest(['module', 'enable', 'm:1'], folder), {
    ...{ command: ['module', 'enable'], words: ['m:1'], does: 'changes', brings: false },
  })
})

const kinds = [
  ['dnf', 'dnf-3', 'dnf4'],
  ['dnf', 'dnf5', 'dnf5'],
  ['dnf5', undefined, 'dnf5'],
  ['microdnf', undefined, 'microdnf'],
] as const
for (const [name, target, kind] of kinds)
  test(`${name}${target ? ` that is ${target}` : ''} is ${kind}`, async (t) => {
    const folder = onPath(t)
    writeFileSync(join(folder, target ?? name), '#!/bin/sh\n', { mode: 0o755 })
    if (target) symlinkSync(target, join(folder, name))
    const found = await findDnf()
    // The system's folders are looked at too: a dnf there comes before what is only a dnf5 or a microdnf here.
    if (name === 'dnf' || found.path.startsWith(folder)) assert.deepEqual(found, { path: join(folder, name), kind })
    else assert.equal(found.kind, 'dnf4')
  })

function onPath(t: TestContext): string {
  const folder = tempDir(t)
  const before = process.env.PATH
  process.env.PATH = folder
  t.after(() => {
    process.env.PATH = before
  })
  return folder
}

/** As dnf5 5.4.6 ended. */
const dnf5: readonly (readonly [what: string, stderr: readonly string[], message: RegExp])[] = [
  [
    'a script in Lua that failed',
    [
      '>>> Running %post scriptlet: failing-lua-0:1-1.x86_64',
      '>>> Non-critical error in %post scriptlet: failing-lua-0:1-1.x86_64',
      '>>> [RPM] lua script failed: [string "%post(failing-lua-1-1.x86_64)"]:1: lua has something to say',
      'Transaction failed: Rpm transaction failed.',
      'Warning: skipped OpenPGP checks for 1 package from repository: t',
    ],
    /^dnf c: error in the script %post \(lua script failed: .*: lua has something to say\) of package failing-lua-0:1-1.x86_64; .* --exclude failing-lua leaves it out$/,
  ],
  [
    'a script that failed before its package was there',
    [
      '>>> Running %pre scriptlet: a-0:1-1.x86_64',
      '>>> Error in %pre scriptlet: a-0:1-1.x86_64',
      '>>> Scriptlet output:',
      '>>> no',
    ],
    /^dnf c: error in the script %pre \(no\) of package a-0:1-1.x86_64; .* --exclude a leaves it out$/,
  ],
  [
    'a warning behind what is wrong',
    [
      "Argument 'x' matches only excluded packages.",
      'Warning: skipped OpenPGP checks for 1 package from repository: t',
    ],
    /^dnf c: Argument 'x' matches only excluded packages\.; /,
  ],
]
for (const [what, stderr, message] of dnf5)
  test(`the words of dnf5 for ${what}`, () => {
    const outcome = { argv: [], exitCode: 1, stdout: '', stderr: `${stderr.join('\n')}\n`, events: [] }
    assert.match(dnfFailure('c', outcome)?.message ?? '', message)
  })
