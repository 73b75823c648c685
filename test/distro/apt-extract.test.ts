import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { AptOptions, AptResult, Container } from '../../sdk/index.js'
import { builder, tempDir } from '../lane.js'
import { container, inRoot, listing } from '../sdk/rooted.js'
import { type AptScene, aptScene, hello, helloData, imageOf } from './apt-scene.js'
import { debEpoch } from './deb-file.js'
import { debRepository, sourceAt } from './deb-repository.js'
import { serveRpms } from './rpm-server.js'

const folder = tempDir({ after })
let scene: AptScene
before(async () => {
  scene = await aptScene(folder)
})
after(() => scene[Symbol.asyncDispose]())

async function install(words: readonly string[], options: AptOptions = {}, c?: Container): Promise<Container> {
  const made = c ?? (await container())
  await made.apt(['install', ...words], { ...scene.sources, ...options })
  return made
}

const names = ({ packages }: AptResult) => packages.map(({ name, version }) => `${name} ${version}`)

test('a package is unpacked with what it needs, into a merged root, without documentation and translations', async () => {
  const c = await container()
  assert.deepEqual(names(await c.apt(['install', 'hello'], scene.sources)), ['hello 1:1.0-1', 'hello-data 1.0'])
  const found = await listing(c)
  assert.deepEqual(
    found.filter((line) => !/^(var\/lib\/dpkg|usr\/ |usr\/share\/(hello-data|doc)?\/? )/.test(line)),
    [
      'bin -> usr/bin',
      'lib -> usr/lib',
      ...(process.arch === 'x64' ? ['lib64 -> usr/lib64'] : []),
      'sbin -> usr/sbin',
      'usr/bin/ 755 0:0',
      'usr/bin/hallo -> ../../bin/hello',
      'usr/bin/hello 755 0:0 21',
      'usr/bin/hello-again 755 0:0 21',
      'usr/bin/shello 4755 0:0 6',
      'usr/lib/ 755 0:0',
      ...(process.arch === 'x64' ? ['usr/lib64/ 755 0:0'] : []),
      'usr/sbin/ 755 0:0',
      'usr/share/Főtanúsítvány 644 0:0 4',
      'usr/share/doc/hello/ 755 0:0',
      'usr/share/doc/hello/copyright 644 0:0 4',
      'usr/share/hello-data/common 644 0:0 3',
      'usr/share/hello-data/old/ 755 0:0',
      'usr/share/hello-data/old/old 644 0:0 3',
      'var/ 755 0:0',
      'var/lib/ 755 0:0',
      'var/lib/hello/ 2770 33:33',
    ].sort(),
  )
  assert.equal(await inRoot(c, 'stat -c %h usr/bin/hello'), '2\n')
})

test('status.d, md5sums and lists say what is there, as scanners and dpkg read them', async () => {
  const c = await install(['hello'])
  const status = 'var/lib/dpkg/status.d'
  assert.equal(
    await inRoot(c, `ls ${status} var/lib/dpkg/info | tr '\\n' ' '`),
    [
      'var/lib/dpkg/info: hello-data.list hello.list ',
      `${status}: hello hello-data hello-data.md5sums hello.md5sums `,
    ].join(' '),
  )
  assert.match(
    await inRoot(c, `cat ${status}/hello`),
    /^Package: hello\nVersion: 1:1.0-1\nArchitecture: all\nDepends: /,
  )
  assert.equal(
    await inRoot(c, `md5sum -c --quiet ${status}/*.md5sums && cut -c35- ${status}/hello-data.md5sums`),
    ['usr/share/hello-data/common', 'usr/share/hello-data/old/old', ''].join('\n'),
  )
  // A dpkg that reads it has nothing to complain about.
  const admin =
    'a=$(mktemp -d); mkdir $a/updates $a/info; cp var/lib/dpkg/info/*.list var/lib/dpkg/status.d/*.md5sums $a/info'
  const fill = `for f in ${status}/*[!s]; do sed '1aStatus: install ok installed' $f; echo; done >$a/status`
  const query = "dpkg-query --admindir=$a -l | awk '/^ii/{print $2, $3}'"
  const verify = 'dpkg --root=$PWD --admindir=$a --audit; dpkg --root=$PWD --admindir=$a -V'
  assert.equal(
    await inRoot(c, `${admin}; ${fill}; ${query}; ${verify}; rm -r $a`),
    ['hello 1:1.0-1', 'hello-data 1.0', ''].join('\n'),
  )
})

test('times are the packages’ own, and nothing is younger than the youngest package', async () => {
  const c = await install(['hello'])
  const times = await inRoot(c, "find . -printf '%Ts %P\\n' | sort -n")
  assert.match(times, /^1500000000 usr\/share\/F/)
  assert.equal(times.trim().split('\n').at(-1)?.split(' ')[0], `${debEpoch}`)
  const older = await install(['hello'], { timestamp: debEpoch - 5 })
  assert.equal((await inRoot(older, "find . -printf '%Ts\\n' | sort -n | tail -n1")).trim(), `${debEpoch - 5}`)
})

const kept: Readonly<Record<string, { readonly options: AptOptions; readonly paths: readonly string[] }>> = {
  'with --docs': { options: { docs: true }, paths: ['usr/share/doc/hello/README', 'usr/share/man/man1/hello.1'] },
  'with --langs': { options: { langs: ['pt'] }, paths: ['usr/share/locale/pt_BR/LC_MESSAGES/hello.mo'] },
  'with --recommends': { options: { recommends: true }, paths: ['usr/share/hello-extra'] },
}
for (const [title, { options, paths }] of Object.entries(kept))
  test(`${title} more is there`, async () => {
    const [plain, more] = [await listing(await install(['hello'])), await listing(await install(['hello'], options))]
    const has = (list: readonly string[], path: string) => list.some((line) => line.startsWith(`${path} `))
    for (const path of paths) assert.deepEqual([has(plain, path), has(more, path)], [false, true], path)
    assert.ok(!has(more, 'usr/share/locale/de/LC_MESSAGES/hello.mo'))
  })

test('with --no-depends only what is named comes, with --exclude another way is found', async () => {
  const c = await container()
  assert.deepEqual(names(await c.apt(['install', 'hello'], { ...scene.sources, depends: false })), ['hello 1:1.0-1'])
  await assert.rejects(install(['hello'], { exclude: ['hello-data'] }), {
    code: 'INVALID',
    message: /^apt install hello: what it needs cannot be installed with it: hello : Depends: hello-data/,
  })
})

test('upgrade takes the old version’s files away, and remove all of a package and of what needs it', async () => {
  const own = join(folder, 'upgrade')
  const first = await debRepository(own, [hello, helloData('1.0')], { key: scene.key })
  const sources = { ...scene.sources, source: [first.source] }
  const c = await install(['hello'], sources)
  await debRepository(own, [hello, helloData('2.0')], { key: scene.key })
  assert.deepEqual(names(await c.apt(['upgrade'], sources)), ['hello-data 2.0'])
  assert.equal(
    await inRoot(c, 'find usr/share/hello-data -type f | sort'),
    ['usr/share/hello-data/common', 'usr/share/hello-data/new/new', ''].join('\n'),
  )
  assert.deepEqual(await c.apt(['upgrade'], sources), { mode: 'extract', packages: [], removed: [] })
  const { removed } = await c.apt(['remove', 'hello-data'], sources)
  assert.deepEqual(removed, ['hello', 'hello-data'])
  assert.equal(await inRoot(c, 'find . -type f'), '')
})

test('a file of two packages is refused, unless one says that it replaces the other', async () => {
  await assert.rejects(install(['rival']), {
    code: 'INVALID',
    message: /^apt install \/usr\/share\/hello-data\/common: the packages hello-data and rival both bring it/,
  })
  const c = await install(['heir'])
  assert.equal(await inRoot(c, 'cat usr/share/hello-data/common'), 'mine')
  const later = await install(['hello-data'])
  await assert.rejects(install(['rival'], {}, later), { code: 'INVALID' })
  assert.equal(await inRoot(later, 'cat usr/share/hello-data/common; ls var/lib/dpkg/status.d | wc -l'), '1.02\n')
})

test('no package writes outside the root, and one that fails leaves the container as it was', async () => {
  const c = await install(['hello-data'])
  const was = await listing(c)
  const refused: Readonly<Record<string, { readonly code: string; readonly message: RegExp }>> = {
    climber: { code: 'UNSAFE', message: /its name leaves the root through \.\./ },
    device: { code: 'UNSUPPORTED', message: /apt install \/srv\/null: the package brings a device/ },
  }
  for (const [name, error] of Object.entries(refused)) await assert.rejects(install(['hello', name], {}, c), error)
  assert.deepEqual(await listing(c), was)
  assert.ok(!existsSync('/tmp/climbed'))
  // A link leads where the container sees it lead.
  await install(['trapper'], {}, c)
  assert.equal(await inRoot(c, 'cat etc/trapped'), 'inside')
  assert.ok(!existsSync('/etc/trapped'))
})

test('the same request gives the same image, whatever the order, the path and the time zone', async () => {
  const id = await imageOf(await install(['hello', 'hello-extra']))
  const elsewhere = await debRepository(join(folder, 'else where'.replace(' ', '-')), [], { key: scene.key })
  assert.ok(elsewhere)
  assert.equal(await imageOf(await install(['hello-extra', 'hello', 'hello'])), id)
  await using server = await serveRpms(scene.repository.folder)
  assert.equal(await imageOf(await install(['hello-extra', 'hello'], { source: [sourceAt(server.url)] })), id)
})

test('a lock file says the exact packages, and gives the same image from a repository that went on', async (t) => {
  const own = tempDir(t)
  const first = await debRepository(join(own, 'repository'), [hello, helloData('1.0')], { key: scene.key })
  const lock = join(own, 'packages.lock')
  const options = { ...scene.sources, source: [first.source], lock }
  const id = await imageOf(await install(['hello'], options))
  const text = readFileSync(lock, 'utf8')
  const { packages } = JSON.parse(text)
  assert.deepEqual(
    packages.map(({ name, version, arch, location }: Record<string, string>) => [name, version, arch, location]),
    [
      ['hello', '1:1.0-1', 'all', 'pool/main/hello_1.0-1.deb'],
      ['hello-data', '1.0', 'all', 'pool/main/hello-data_1.0.deb'],
    ],
  )
  await debRepository(join(own, 'repository'), [hello, helloData('2.0')], { key: scene.key })
  assert.equal(await imageOf(await install(['hello'], options)), id)
  assert.notEqual(await imageOf(await install(['hello'], { ...options, lock: join(own, 'other.lock') })), id)
  assert.equal(readFileSync(lock, 'utf8'), text)
  await assert.rejects(install(['hello-data'], options), {
    code: 'INVALID',
    message: /it is the lock of another request: packages was hello and is hello-data/,
  })
})

test('many containers and processes fetch at once', async (t) => {
  const own = tempDir(t)
  await using server = await serveRpms(scene.repository.folder)
  const words = ['--source', sourceAt(server.url), '--keyring', scene.key.keyring, 'install', 'hello', 'hello-extra']
  const made = await Promise.all([1, 2, 3].map(() => builder(['from', 'scratch'], { store: own })))
  const ran = await Promise.all(made.map(({ stdout }) => builder(['apt', stdout.trim(), ...words], { store: own })))
  for (const { code, stdout, stderr } of ran) assert.deepEqual([code, stdout], [0, ''], stderr)
  const { stdout } = await builder(['apt', made[0]?.stdout.trim() ?? '', ...words.with(4, 'download')], { store: own })
  assert.equal(stdout, '')
  assert.match(ran[0]?.stderr ?? '', /^apt: 3 packages: (done, .* KB|there already).*\napt: installing 3 packages$/m)
})

test('in a container with steps a locked request is not carried out twice', async (t) => {
  const own = tempDir(t)
  const lock = join(own, 'packages.lock')
  const store = { root: join(own, 'root'), runroot: join(own, 'run') }
  const fill = async () => {
    const c = await container('scratch', { ...store, layers: true })
    const { packages } = await c.apt(['install', 'hello'], { ...scene.sources, lock })
    return { packages, id: (await c.commit(undefined, { timestamp: 1_700_000_000, progress: 'none' })).id }
  }
  const [first, second] = [await fill(), await fill()]
  assert.deepEqual(second.packages, first.packages)
  const repository = scene.repository.folder
  // With the repository away only the step can give it.
  const away = `${repository}-away`
  renameSync(repository, away)
  try {
    assert.deepEqual(await fill(), second)
  } finally {
    renameSync(away, repository)
  }
})

test('offline, what was fetched before is enough', async (t) => {
  const own = tempDir(t)
  const places = { root: join(own, 'root'), runroot: join(own, 'run') }
  await using server = await serveRpms(scene.repository.folder)
  const options = { ...scene.sources, source: [sourceAt(server.url)] }
  const c = await container('scratch', places)
  await assert.rejects(c.apt(['install', 'hello-data'], { ...options, offline: true }), {
    code: 'NOT_FOUND',
    message: /^apt install: the lists of packages of these sources were never fetched; do it once without --offline$/,
  })
  const events: string[] = []
  const onProgress = ({ name, kind, state }: { name: string; kind: string; state: string }) =>
    void events.push(`${kind} ${name} ${state}`)
  const { progress: _, ...shown } = options
  assert.deepEqual(names(await c.apt(['download', 'hello'], { ...shown, onProgress })), [
    'hello 1:1.0-1',
    'hello-data 1.0',
  ])
  assert.ok(events.includes('package 2 packages done'), events.join('\n'))
  assert.deepEqual(await listing(c), [])
  const asked = server.requests.length
  await c.apt(['install', 'hello'], { ...options, offline: true })
  assert.equal(server.requests.length, asked)
  await assert.rejects(c.apt(['install', 'hello-extra'], { ...options, offline: true }), {
    code: 'NOT_FOUND',
    message: /^apt install hello-extra 1\.0: it was never fetched into this store; do it once without --offline$/,
  })
})
