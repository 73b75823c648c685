import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { command, lane, top } from '../lane.js'
import { newDnfScene, unsigned } from './dnf-scene.js'
import { rpmRepository } from './rpm-repository.js'

const { url } = await rpmRepository()
const scene = newDnfScene()
let c = ''

before(async () => {
  const first = await scene.from('scratch')
  await scene.ok(['dnf', first, 'install', ...unsigned(url), 'failing-preun', 'httpd'])
  await scene.ok(['commit', '-q', '--rm', first, 'base'])
  c = await scene.from('base')
})

interface Row {
  readonly words: readonly string[]
  readonly says: readonly RegExp[]
}

const transactions: Readonly<Record<string, Row>> = {
  'a failing %pre': {
    words: ['install', 'failing-pre'],
    says: [/failing-pre/, /PREIN/, /pre has something to say/],
  },
  // dnf says Complete!, and ends with 0; beside it is a package that is well.
  'a failing %post, with what it said': {
    words: ['install', 'setuid-program', 'failing-post'],
    says: [/failing-post/, /POSTIN/, /exit status 5/, /post has something to say/],
  },
  'a failing %post in Lua': {
    words: ['install', 'failing-lua'],
    says: [/failing-lua/, /POSTIN/, /lua has something to say/],
  },
  'a failing %preun': { words: ['remove', 'failing-preun'], says: [/failing-preun/, /PREUN/] },
  // dnf gives the file to root, and ends with 0.
  'a user that nobody made': { words: ['install', 'missing-user'], says: [/user nowhere/] },
  'a file that cannot be unpacked': { words: ['install', 'unpack-fails'], says: [/unpack-fails/, /unpack/] },
  'a file of two packages': { words: ['install', 'conflicting'], says: [/\/usr\/bin\/env/, /conflicting/, /busybox/] },
  'what no repository has': { words: ['install', 'unresolvable'], says: [/no-such-thing >= 2/, /unresolvable/] },
  'a name that no package has': { words: ['install', 'htttpd'], says: [/htttpd/] },
  // dnf removes the other, and ends with 0.
  'a package to remove that is not there': {
    words: ['remove', 'httpd', 'htttpd'],
    says: [/no such package is installed: htttpd; see builder packages/],
  },
}
for (const [title, { words, says }] of Object.entries(transactions))
  test(`${title} is an error, and the container is as it was`, () =>
    scene.leaves(c, [...words, ...unsigned(url)], says))

const namespaces: Readonly<Record<string, readonly RegExp[]>> = {
  'foreign-owner': [/70000/, /\/etc\/subuid/],
  'device-elsewhere': [/\/srv\/jail\/dev\/null|device-elsewhere/, /root/],
}
for (const [name, says] of Object.entries(namespaces))
  test(`${name}: only root of the machine can, and others read what to do`, async () => {
    if (lane() === 'user') return scene.leaves(c, ['install', name, ...unsigned(url)], says)
    const other = await scene.from('base')
    await scene.ok(['dnf', other, 'install', name, ...unsigned(url)])
  })

const mistakes: Readonly<Record<string, Row>> = {
  'no words for dnf': { words: [], says: [/^builder: dnf/, /install/] },
  'a command that dnf does not have': { words: ['instal', 'httpd'], says: [/instal\b/] },
  'no packages': { words: ['install', ...unsigned(url)], says: [/dnf install: no package is named; .*PACKAGE/] },
  'a file for a folder of packages': {
    words: ['download', ...unsigned(url), '--destdir', '/etc/passwd', 'httpd'],
    says: [/dnf --destdir \/etc\/passwd: it is no folder/],
  },
  'a folder that nobody can make': {
    words: ['download', ...unsigned(url), '--destdir', '/proc/rpms', 'httpd'],
    says: [/dnf --destdir \/proc\/rpms: /],
  },
  'a flag of a question': {
    words: ['repoquery', '--installed'],
    says: [/--installed: .*; write -- before words that/],
  },
  'a word that is none of dnf': { words: ['shell'], says: [/write one of install, .*, group install/] },
  'no repository': { words: ['install', 'httpd'], says: [/--repo/] },
  'a repository without an address': {
    words: ['install', '--repo', 'test', 'httpd'],
    says: [/--repo test: it is not ID=URL/],
  },
  'a repository with a blank ID': {
    words: ['install', '--repo', `a b=${url}`, 'httpd'],
    says: [/--repo a b=\S+: it is not ID=URL/],
  },
  'a folder that is no repository': {
    words: ['install', ...unsigned('file:///nonexistent'), 'httpd'],
    says: [/\/nonexistent/],
  },
  'an address where nobody answers': {
    words: ['install', ...unsigned('http://127.0.0.1:1'), 'httpd'],
    says: [/127\.0\.0\.1:1/],
  },
  'a package that is left out': {
    words: ['install', ...unsigned(url), '--exclude', 'setuid*', 'setuid-program'],
    says: [/--exclude leaves out every package of setuid-program/],
  },
  'a repofile that is not there': { words: ['install', '--repofile', '/nope.repo', 'httpd'], says: [/\/nope\.repo/] },
}
for (const [title, { words, says }] of Object.entries(mistakes))
  test(`${title} is refused`, () => scene.leaves(c, words, says))

test('a container that is not there', async () => {
  await scene.refuses(['dnf', 'nope', 'install', ...unsigned(url), 'httpd'], [/nope: there is no such container/])
})

test('a machine without dnf is told what to install', async (t) => {
  if (lane() !== 'root') return t.skip('only root can hide a program')
  const hide =
    'for name in dnf dnf-3 dnf5; do p=$(command -v $name) && mount --bind /dev/null "$(readlink -f "$p")"; done; exec "$@"'
  const words = [
    '--root',
    scene.root,
    '--runroot',
    scene.at('run'),
    'dnf',
    c,
    'install',
    ...unsigned(url),
    'setuid-program',
  ]
  const { stderr, code } = await command(['unshare', '-m', 'sh', '-c', hide, 'sh', join(top, 'bin/builder'), ...words])
  assert.match(stderr, /^builder: dnf dnf: this program is not on this machine; install it: /)
  assert.equal(code, 125)
})

test('all of this has changed nothing of the image', async () => {
  assert.match(await scene.ok(['check', '--deep']), /^the store is whole/)
})
