import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseMode } from '../../sdk/layer/chmod.js'
import { ignoreRules } from '../../sdk/layer/ignore.js'
import { findSources } from '../../sdk/layer/sources.js'
import { mknod, setXattr } from '../../sdk/namespace/libc.js'
import { type ContentOptions, contentDigest } from '../../sdk/steps/content.js'
import { hashFiles } from '../../sdk/steps/hash-files.js'
import type { Store } from '../../sdk/store/store.js'
import { tempDir } from '../lane.js'
import { emptyStore, failure } from '../store/fixture.js'

async function context(t: TestContext) {
  const store = await emptyStore(t)
  const top = tempDir(t)
  mkdirSync(join(top, 'site/css'), { recursive: true })
  writeFileSync(join(top, 'site/index.html'), 'hello')
  writeFileSync(join(top, 'site/css/a.css'), 'body {}')
  symlinkSync('index.html', join(top, 'site/link'))
  return { store, top, site: join(top, 'site') }
}

function digest(
  store: Store,
  top: string,
  options: Partial<ContentOptions> = {},
  sources: readonly string[] = ['site'],
) {
  return contentDigest(store, findSources(sources, top, 'copy'), { owners: 'given', ...options }).then(
    (it) => it.digest,
  )
}

const changes: readonly (readonly [string, (site: string) => void])[] = [
  ['content', (site) => writeFileSync(join(site, 'index.html'), 'hullo')],
  ['a name', (site) => renameSync(join(site, 'index.html'), join(site, 'index.htm'))],
  ['a mode', (site) => chmodSync(join(site, 'css'), 0o700)],
  [
    'a link target',
    (site) => {
      rmSync(join(site, 'link'))
      symlinkSync('css', join(site, 'link'))
    },
  ],
  ['an extended attribute', (site) => setXattr(join(site, 'index.html'), 'user.note', Buffer.from('x'))],
  ['an empty folder', (site) => mkdirSync(join(site, 'empty'))],
  ['a file that is gone', (site) => rmSync(join(site, 'css/a.css'))],
  ['a hard link', (site) => linkSync(join(site, 'index.html'), join(site, 'same'))],
  ['a fifo', (site) => mknod(join(site, 'pipe'), 0o010644)],
  ['a name that is not UTF-8', (site) => writeFileSync(Buffer.from(`${site}/\xff`, 'latin1'), '')],
]
for (const [what, change] of changes)
  test(`${what} changes the digest`, async (t) => {
    const { store, top, site } = await context(t)
    const before = await digest(store, top)
    change(site)
    assert.notEqual(await digest(store, top), before)
  })

test('times, sockets and where it lies do not count', async (t) => {
  const { store, top, site } = await context(t)
  const before = await digest(store, top)
  utimesSync(join(site, 'index.html'), 1, 1)
  const server = createServer().listen(join(site, 'socket'))
  t.after(() => server.close())
  renameSync(site, join(top, 'moved'))
  assert.equal(await digest(store, top, {}, ['moved']), before)
})

test('two names that are not UTF-8 are two', async (t) => {
  const { store, top, site } = await context(t)
  const file = (name: string) => Buffer.from(`${site}/${name}`, 'latin1')
  writeFileSync(file('\xfe'), '')
  const first = await digest(store, top)
  renameSync(file('\xfe'), file('\xff'))
  assert.notEqual(await digest(store, top), first)
})

test('a copy of two files is not two links to one', async (t) => {
  const { store, top, site } = await context(t)
  linkSync(join(site, 'index.html'), join(site, 'same'))
  const linked = await digest(store, top)
  rmSync(join(site, 'same'))
  writeFileSync(join(site, 'same'), 'hello')
  assert.notEqual(await digest(store, top), linked)
})

test('what is left out may change', async (t) => {
  const { store, top, site } = await context(t)
  const { ignores } = ignoreRules(['css'])
  const before = await digest(store, top, { ignores })
  writeFileSync(join(site, 'css/a.css'), 'other')
  assert.equal(await digest(store, top, { ignores }), before)
  const { ignores: back, mayComeBack } = ignoreRules(['css', '!css/a.css'])
  const kept = await digest(store, top, { ignores: back, enterIgnored: mayComeBack })
  writeFileSync(join(site, 'css/a.css'), 'more')
  assert.notEqual(await digest(store, top, { ignores: back, enterIgnored: mayComeBack }), kept)
})

test('a mode that is given makes those of the files irrelevant', async (t) => {
  const { store, top, site } = await context(t)
  const mode = parseMode('0755')
  const before = await digest(store, top, { mode })
  chmodSync(join(site, 'index.html'), 0o600)
  assert.equal(await digest(store, top, { mode }), before)
})

test('owners count only where they are kept', async (t) => {
  const { store, top, site } = await context(t)
  const [given, kept] = [await digest(store, top), await digest(store, top, { owners: 'kept' })]
  chownSync(join(site, 'index.html'), 1, 1)
  assert.equal(await digest(store, top), given)
  assert.notEqual(await digest(store, top, { owners: 'kept' }), kept)
})

test('a file has the name that it was asked for by', async (t) => {
  const { store, top, site } = await context(t)
  const [file, same] = [await digest(store, site, {}, ['index.html']), await digest(store, site, {}, ['link'])]
  assert.notEqual(file, same)
  assert.notEqual(file, await digest(store, top, { parents: true }, ['site/index.html']))
})

/** Many small files, whose digests are worth to be kept, as old as the test likes. */
async function many(t: TestContext) {
  const it = await context(t)
  for (let i = 0; i < 300; i++) writeFileSync(join(it.site, `${i}`), `content ${i}`)
  const files = join(it.store.root, 'cache/files')
  return { ...it, known: () => statSync(join(files, readdirSync(files)[0] ?? '')).size }
}

test('files that did not change are not read again, and one that did is', async (t) => {
  const { store, top, site, known } = await many(t)
  // Until the clock of the file system has moved on, nothing that it says of these files can be believed.
  await digest(store, top)
  while (known() < 20_000) await digest(store, top)
  const before = await digest(store, top)
  chmodSync(join(site, '7'), 0o000)
  chmodSync(join(site, '7'), 0o644)
  assert.equal(await digest(store, top), before)
  writeFileSync(join(site, '7'), 'CONTENT 7')
  assert.notEqual(await digest(store, top), before)
  writeFileSync(join(site, '7'), 'content 7')
  assert.equal(await digest(store, top), before)
})

test('a list of known files that is damaged is not believed', async (t) => {
  const { store, top } = await many(t)
  const before = await digest(store, top)
  const folder = join(store.root, 'cache/files')
  for (const text of ['', 'builder-file-digests/1\nabc', 'something else\n', '\0\0\0\n'])
    for (const name of readdirSync(folder)) {
      writeFileSync(join(folder, name), text)
      assert.equal(await digest(store, top), before)
    }
})

test('a file that changes while it is copied is told', async (t) => {
  const { store, top, site } = await context(t)
  const content = await contentDigest(store, findSources(['site'], top, 'copy'), { owners: 'given' })
  assert.equal(await content.unchanged(), true)
  writeFileSync(join(site, 'index.html'), 'later')
  assert.equal(await content.unchanged(), false)
})

test('many bytes are hashed by several threads, with the same result', async (t) => {
  const folder = tempDir(t)
  const files = Array.from({ length: 40 }, (_, i) => ({ path: join(folder, `${i}`), size: i * 100 }))
  for (const { path, size } of files) writeFileSync(path, Buffer.alloc(size, path))
  const here = await hashFiles(files)
  const large = files.map((file) => ({ ...file, size: 16 << 20 }))
  assert.deepEqual(await hashFiles(large), here)
  const missing = await failure(hashFiles([...large, { path: join(folder, 'none'), size: 1 }]))
  assert.match(missing.message, /read .*none: it does not exist/)
})

test('hashing is stopped by a signal', async (t) => {
  const { store, top } = await context(t)
  assert.equal((await failure(digest(store, top, { signal: AbortSignal.abort() }))).code, 'ABORTED')
})
