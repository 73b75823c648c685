import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { AptOptions, Container } from '../../sdk/index.js'
import { builder, command, lane, tempDir, top } from '../lane.js'
import { container, inRoot, listing } from '../sdk/rooted.js'
import { type AptScene, aptScene, file, hello, helloData } from './apt-scene.js'
import { type DebKey, debKey, debRepository, type RepositoryOptions, sourceAt } from './deb-repository.js'
import { serveRpms } from './rpm-server.js'

const folder = tempDir({ after })
let scene: AptScene
let expired: DebKey
let c: Container
before(async () => {
  scene = await aptScene(folder)
  expired = await debKey(join(folder, 'expired'), true)
  c = await container()
  await c.apt(['install', 'hello-data'], scene.sources)
})
after(async () => {
  await scene[Symbol.asyncDispose]()
  await expired[Symbol.asyncDispose]()
})

interface Row {
  readonly words: readonly string[]
  /** Beside the scene's sources, or without these. */
  readonly options?: AptOptions
  readonly bare?: boolean
  readonly code: string
  readonly message: RegExp
}

const rows: Readonly<Record<string, Row>> = {
  'a word that apt does not have': {
    words: ['instal', 'hello'],
    code: 'USAGE',
    message: /^apt instal: apt has no such word here; did you mean install\?$/,
  },
  'no word': { words: [], code: 'USAGE', message: /^apt: it is not said what to do; write install/ },
  'no package': {
    words: ['install'],
    code: 'USAGE',
    message: /^apt install: no package is named; write builder apt CONTAINER install PACKAGE…$/,
  },
  'an option of apt’s among the packages': {
    words: ['install', '--reinstall'],
    code: 'USAGE',
    message: /^apt install --reinstall: it is not the name of a package; write NAME, NAME=VERSION or NAME\/SUITE$/,
  },
  'a file of this machine': {
    words: ['install', './hello.deb'],
    code: 'USAGE',
    message: /not the name of a package/,
  },
  'an unknown package, with near names': {
    words: ['install', 'helo'],
    code: 'NOT_FOUND',
    message:
      /^apt install helo: no source has a package of that name; did you mean hello\b.*\? Else check --suite and --component$/,
  },
  'a version that nobody has': {
    words: ['install', 'hello=9'],
    code: 'NOT_FOUND',
    message: /^apt install hello: no source has that version: 9; leave the version out, or use --snapshot/,
  },
  'what it needs is not there': {
    words: ['install', 'needy'],
    code: 'INVALID',
    message: /^apt install needy: what it needs cannot be installed with it: needy : Depends: nothing-has-it but it/,
  },
  'nothing says where packages come from': {
    words: ['install', 'hello'],
    bare: true,
    code: 'USAGE',
    message:
      /^apt install: it is not said where the packages come from; say --suite \(bookworm, noble, …\), --source, or --from-host/,
  },
  'an unknown suite': {
    words: ['install', 'hello'],
    options: { suite: 'bokworm' },
    bare: true,
    code: 'USAGE',
    message:
      /^apt install --suite bokworm: neither Debian nor Ubuntu has a suite of that name; did you mean bookworm\?/,
  },
  'a snapshot of no day': {
    words: ['install', 'hello'],
    options: { suite: 'bookworm', snapshot: 'yesterday' },
    bare: true,
    code: 'USAGE',
    message: /--snapshot yesterday: it is not a date; write YYYY-MM-DD, or YYYYMMDDTHHMMSSZ$/,
  },
  'two places at once': {
    words: ['install', 'hello'],
    options: { fromHost: true },
    code: 'USAGE',
    message: /--from-host --source: the two say different places/,
  },
  'a source that is none': {
    words: ['install', 'hello'],
    options: { source: ['http://localhost/debian'] },
    code: 'USAGE',
    message: /it is not a source of packages; write it as in sources\.list: 'deb \[signed-by/,
  },
  'a keyring that is not there': {
    words: ['install', 'hello'],
    options: { keyring: '/nowhere.gpg' },
    code: 'NOT_FOUND',
    message: /^apt install \/nowhere\.gpg: it does not exist; check --keyring$/,
  },
  'an architecture of nobody': {
    words: ['install', 'hello'],
    options: { arch: 'z80' },
    code: 'USAGE',
    message: /--arch z80: Debian has no such architecture; choose one of .*amd64, arm64/,
  },
  'a language that is none': {
    words: ['install', 'hello'],
    options: { langs: ['../..'] },
    code: 'USAGE',
    message: /--langs \.\.\/\.\.: it is not the name of a language/,
  },
  'a full system on extracted packages': {
    words: ['install', 'hello'],
    options: { mode: 'full' },
    code: 'INVALID',
    message:
      /^apt install --mode full: the container has only extracted packages, and no dpkg that ran their scripts; use --mode extract, or begin from scratch$/,
  },
  'a repository that is not there': {
    words: ['install', 'hello'],
    options: { source: ['deb file:/nowhere test main'] },
    code: 'DENIED',
    message: /file:\/nowhere test Release: it is not a signed repository.*does not have a Release file/,
  },
  'a mirror that nobody is at': {
    words: ['install', 'hello'],
    options: { source: ['deb http://127.0.0.1:9/debian test main'] },
    code: 'NETWORK',
    message:
      /http:\/\/127\.0\.0\.1:9\/.*: the mirror cannot be reached: .*; check the network, the proxy and --mirror; --offline/,
  },
}
for (const [title, { words, options, bare, code, message }] of Object.entries(rows))
  test(`${title}: said clearly`, async () => {
    const given = { ...(bare ? { progress: 'none' as const } : scene.sources), ...options }
    await assert.rejects(c.apt(words, given), { code, message })
  })

/** What is wrong with a repository, and what is said of it. */
const broken: Readonly<Record<string, { how(): RepositoryOptions; readonly code: string; readonly message: RegExp }>> =
  {
    unsigned: {
      how: () => ({}),
      code: 'DENIED',
      message: /it is not a signed repository: .*is not signed.*deb \[trusted=yes\]/,
    },
    'signed by another key': {
      how: () => ({ key: { ...scene.key, home: expired.home, time: expired.time } }),
      code: 'DENIED',
      message: /its packages are not signed by a key that is trusted; name the right keyring with --keyring$/,
    },
    'of long ago': {
      how: () => ({ key: scene.key, release: ['Valid-Until: Mon, 14 Sep 2020 12:26:40 UTC'] }),
      code: 'INVALID',
      message:
        /its list of packages has expired: .*; use a mirror that is up to date, or --snapshot for a day of the past$/,
    },
    'of the future': {
      how: () => ({ key: scene.key, release: ['Date: Fri, 13 Sep 2080 12:26:40 UTC'] }),
      code: 'INVALID',
      message: /its list of packages is from the future: .*; check the clock of this machine$/,
    },
  }
for (const [title, { how, code, message }] of Object.entries(broken))
  test(`a repository ${title} is refused`, async (t) => {
    const { source } = await debRepository(join(tempDir(t), 'repository'), [hello], how())
    await assert.rejects(c.apt(['install', 'hello'], { ...scene.sources, source: [source] }), {
      code,
      message,
    })
  })

test('a repository whose key has expired is refused', async (t) => {
  const { source } = await debRepository(join(tempDir(t), 'repository'), [hello], { key: expired })
  const options = { ...scene.sources, source: [source], keyring: expired.keyring }
  const message = /the key that signs its packages has expired; get a newer keyring, or use --snapshot$/
  await assert.rejects(c.apt(['install', 'hello'], options), { code: 'DENIED', message })
})

test('an unsigned repository may be trusted by who says so', async (t) => {
  const { source } = await debRepository(join(tempDir(t), 'repository'), [helloData('2.0')])
  const own = await container()
  const trusted = source.replace('deb ', 'deb [trusted=yes] ')
  await own.apt(['install', 'hello-data'], { source: [trusted], progress: 'none' })
  assert.equal(await inRoot(own, 'cat usr/share/hello-data/new/new'), '2.0')
})

test('a package that is gone, or another one, is named', async (t) => {
  const extra = { name: 'extra', entries: [file('srv/extra')] }
  const { folder: repository } = await debRepository(join(tempDir(t), 'repository'), [extra], { key: scene.key })
  let isGone = true
  const path = 'pool/main/extra_1.0.deb'
  await using server = await serveRpms(repository, (asked) => (isGone && asked === path ? 'missing' : 'served'))
  const options = { ...scene.sources, source: [sourceAt(server.url)] }
  await assert.rejects(c.apt(['install', 'extra'], options), {
    code: 'NOT_FOUND',
    message:
      /^apt install extra 1\.0: it is gone from http:.*extra_1\.0\.deb; a day that had it may be in the snapshot service/,
  })
  isGone = false
  writeFileSync(join(repository, path), 'something else')
  await assert.rejects(c.apt(['install', 'extra'], options), {
    code: 'DIGEST',
    message: /it is not what the repository signed; try again in a few minutes/,
  })
})

test('a lock names what is gone, and is not one of another file', async (t) => {
  const own = tempDir(t)
  const lock = join(own, 'packages.lock')
  const { folder: repository, source } = await debRepository(join(own, 'repository'), [helloData('1.0')], {
    key: scene.key,
  })
  const options = { ...scene.sources, source: [source], lock }
  await (await container()).apt(['install', 'hello-data'], options)
  await debRepository(repository, [helloData('2.0')], { key: scene.key })
  writeFileSync(join(repository, 'pool/main/hello-data_1.0.deb'), 'something else')
  const store = { root: join(own, 'root'), runroot: join(own, 'run') }
  const fresh = await container('scratch', store)
  await assert.rejects(fresh.apt(['install', 'hello-data'], options), {
    code: 'DIGEST',
    message:
      /^apt install hello-data 1\.0: what is at file:.* has not the digest sha256:[0-9a-f]{64}; its repository has changed/,
  })
  mkdirSync(join(own, 'moved'))
  writeFileSync(lock, '{ "version": 1, "manager": "dnf", "request": {}, "packages": [] }')
  await assert.rejects(fresh.apt(['install', 'hello-data'], options), { message: /it is a lock of dnf, not of apt/ })
})

test('an owner outside the id map is named with what to do', async () => {
  const own = await container()
  const done = own.apt(['install', 'stranger'], scene.sources)
  if (lane() === 'root') {
    await done
    return assert.equal(await inRoot(own, 'stat -c %u srv/strange'), '2000000\n')
  }
  await assert.rejects(done, {
    code: 'ID_MAP',
    message:
      /^apt install \/srv\/strange: uid 2000000 of \/srv\/strange is outside the id map .* add a larger range to \/etc\/subuid$/,
  })
  assert.deepEqual(await listing(own), [])
})

test('a full disk is said, and leaves the container as it was', async (t) => {
  const own = tempDir(t)
  const big = { name: 'big', entries: [file('srv-big', 'x'.repeat(5_000_000))] }
  const { source } = await debRepository(join(own, 'repository'), [big], { key: scene.key })
  const enter = lane() === 'root' ? ['unshare', '-m'] : ['unshare', '-r', '-m']
  const script = `mount -t tmpfs -o size=8m tmpfs "$1" && c=$("$2" --root "$1/root" --runroot "$1/run" from scratch) || exit 99
"$2" --root "$1/root" --runroot "$1/run" apt --source "$3" --keyring "$4" "$c" install big; echo "code $?"
m=$("$2" --root "$1/root" --runroot "$1/run" mount "$c") && ls -A "$m" && echo "$m" | grep -c merged`
  mkdirSync(join(own, 'small'))
  const words = [join(own, 'small'), join(top, 'bin/builder'), source, scene.key.keyring]
  const ran = await command([...enter, 'sh', '-c', script, 'sh', ...words])
  assert.equal(ran.stdout, 'code 125\n1\n', ran.stderr)
  assert.match(
    ran.stderr,
    /^builder: apt install .*: the disk is full; free some space \(builder prune, builder rmi\)/m,
  )
})

test('a machine without apt is told what to install', async (t) => {
  const store = tempDir(t)
  const made = (await builder(['from', 'scratch'], { store })).stdout.trim()
  // The namespace's own programs are there, and nothing of Debian's.
  const hidden = `for name in apt-get dpkg-deb; do mount --bind /dev/null "$(command -v $name)"; done 2>/dev/null || exit 99`
  const line = `${hidden}; exec "$0" apt ${made} install --suite bookworm hello`
  const words = ['unshare', 'unshare', '-m', 'sh', '-c', line, join(top, 'bin/builder')]
  const { code, stderr } = await builder(words, { store })
  assert.equal(code, 125, stderr)
  assert.match(stderr, /^builder: apt install apt-get: this program is not on this machine; install the package apt$/m)
})

test('after all that, the container is as it was', async () => {
  assert.equal(
    await inRoot(c, 'ls var/lib/dpkg/status.d; find srv tmp etc 2>/dev/null; true'),
    'hello-data\nhello-data.md5sums\n',
  )
})
