import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openStore } from '../../sdk/store/store.js'
import { command, tempDir, top } from '../lane.js'
import { failure } from './fixture.js'

test('a new store is an OCI image layout that only its owner can enter', async (t) => {
  const root = join(tempDir(t), 'a/b/root')
  await openStore({ root, runroot: join(root, '../run') })
  assert.equal(statSync(root).mode & 0o777, 0o700)
  assert.deepEqual(JSON.parse(readFileSync(join(root, 'oci-layout'), 'utf8')), { imageLayoutVersion: '1.0.0' })
  const index = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8'))
  assert.deepEqual(index, { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] })
  assert.deepEqual(readdirSync(join(root, 'tmp')), [])
})

test('opening again changes nothing', async (t) => {
  const root = tempDir(t)
  const store = await openStore({ root, runroot: join(root, 'cache') })
  writeFileSync(join(root, 'index.json'), '{"schemaVersion":2,"manifests":[],"annotations":{"a":"b"}}')
  assert.deepEqual(await openStore({ root, runroot: store.runroot }), store)
  assert.match(readFileSync(join(root, 'index.json'), 'utf8'), /annotations/)
})

test('many may make the same store at once', async (t) => {
  const root = join(tempDir(t), 'root')
  const open = () => openStore({ root, runroot: join(root, '../run') })
  const stores = await Promise.all(Array.from({ length: 20 }, open))
  assert.equal(new Set(stores.map((store) => store.root)).size, 1)
})

test('what a killed process left of a new store is completed', async (t) => {
  const root = tempDir(t)
  mkdirSync(join(root, 'blobs'))
  await openStore({ root, runroot: join(root, 'cache') })
  assert.ok(statSync(join(root, 'locks')).isDirectory())
})

test('the root has no links in it', async (t) => {
  const folder = tempDir(t)
  mkdirSync(join(folder, 'real'))
  symlinkSync('real', join(folder, 'link'))
  const store = await openStore({ root: join(folder, 'link'), runroot: join(folder, 'run') })
  assert.match(store.root, /real$/)
})

test('a folder with something else in it is refused and stays as it is', async (t) => {
  const root = tempDir(t)
  writeFileSync(join(root, 'thesis.txt'), 'mine')
  const error = await failure(openStore({ root, runroot: join(root, '../x') }))
  assert.equal(error.code, 'INVALID')
  assert.match(error.message, /thesis\.txt/)
  assert.deepEqual(readdirSync(root), ['thesis.txt'])
})

for (const [title, text] of [
  ['another version', '{"imageLayoutVersion":"2.0.0"}'],
  ['no version', '{}'],
  ['no JSON', 'x'],
] as const)
  test(`an oci-layout with ${title} is refused`, async (t) => {
    const root = tempDir(t)
    writeFileSync(join(root, 'oci-layout'), text)
    const error = await failure(openStore({ root, runroot: join(root, 'cache') }))
    assert.equal(error.code, 'INVALID')
    assert.match(error.message, /oci-layout/)
  })

test('BUILDER_ROOT and XDG_RUNTIME_DIR say where, and other stores have their own run root', async (t) => {
  const folder = tempDir(t)
  const { BUILDER_ROOT, XDG_RUNTIME_DIR } = process.env
  t.after(() => {
    for (const [name, value] of Object.entries({ BUILDER_ROOT, XDG_RUNTIME_DIR }))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  })
  Object.assign(process.env, { BUILDER_ROOT: join(folder, 'one'), XDG_RUNTIME_DIR: folder })
  const one = await openStore()
  assert.equal(one.root, join(folder, 'one'))
  const two = await openStore({ root: join(folder, 'two') })
  assert.notEqual(one.runroot, two.runroot)
  assert.equal(statSync(two.runroot).mode & 0o777, 0o700)
})

test('a run root that is a link to somewhere else is refused', async (t) => {
  const folder = tempDir(t)
  mkdirSync(join(folder, 'elsewhere'))
  symlinkSync('elsewhere', join(folder, 'run'))
  const error = await failure(openStore({ root: join(folder, 'root'), runroot: join(folder, 'run') }))
  assert.equal(error.code, 'UNSAFE')
})

test('a folder that cannot be written is a clear error', async (t) => {
  const folder = tempDir(t)
  chmodSync(folder, 0o500)
  // These tests run as root, here or of a namespace: without the right to pass over modes it is as anybody.
  const script = `import { openStore } from ${JSON.stringify(join(top, 'dist/sdk/store/store.js'))}
    await openStore({ root: process.argv[1] }).catch(({ code, message }) => console.log(code, message))`
  const node = [process.execPath, '--input-type=module', '-e', script, join(folder, 'root')]
  const { stdout, stderr } = await command(['setpriv', '--bounding-set', '-dac_override', ...node])
  assert.match(
    stdout,
    /^SYSTEM .*permission denied; check its owner and its mode; for a store, --root names another\n$/,
    stderr,
  )
})

test('a folder that the kernel will not have is a clear error, at once', async () => {
  const error = await failure(openStore({ root: '/proc/builder-store/root' }))
  assert.equal(error.code, 'SYSTEM')
  assert.match(error.message, /^open store \/proc\/builder-store/)
})
