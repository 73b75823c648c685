import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { builder, command, lane, tempDir, top } from '../lane.js'

/** Runs verbs with a folder for kept code of their own. */
function place(t: TestContext, env: Readonly<Record<string, string | undefined>> = {}) {
  const home = tempDir(t)
  const folder = join(home, 'builder')
  const run = (...words: string[]) => builder(words, { store: home, env: { XDG_CACHE_HOME: home, ...env } })
  const kept = () => (existsSync(folder) ? readdirSync(folder).sort() : [])
  return { home, folder, run, kept }
}

test('the compiled code of a verb is kept for this user alone, and used', async (t) => {
  const { folder, run, kept } = place(t)
  const first = await run('images')
  const [name = ''] = kept()
  assert.match(name, new RegExp(`^images-[0-9a-f]{16}-${process.version}-${process.arch}\\.code$`))
  assert.deepEqual([statSync(folder).mode & 0o777, statSync(join(folder, name)).mode & 0o777], [0o700, 0o600])
  const before = statSync(join(folder, name))
  assert.deepEqual(await run('images'), first)
  // Node would have written it anew, had V8 refused it.
  assert.equal(statSync(join(folder, name)).ino, before.ino)
  await run('containers')
  assert.equal(kept().length, 2)
})

for (const [what, damage] of [
  ['one byte is wrong', (code: Buffer) => code.fill(code[5000] === 1 ? 2 : 1, 5000, 5001)],
  ['a block is empty', (code: Buffer) => code.fill(0, 4096, 8192)],
  ['it is empty', () => Buffer.alloc(0)],
  ['it is cut off', (code: Buffer) => code.subarray(0, 5001)],
  ['it is something else', () => Buffer.from('hellohello')],
] as const)
  test(`kept code is made again when ${what}`, async (t) => {
    const { folder, run, kept } = place(t)
    const first = await run('images')
    const path = join(folder, kept()[0] ?? '')
    writeFileSync(path, damage(readFileSync(path)))
    assert.deepEqual(await run('images'), first)
    const { ino, size } = statSync(path)
    assert.ok(size > 100_000)
    assert.deepEqual(await run('images'), first)
    assert.equal(statSync(path).ino, ino)
  })

test('nothing is kept of a failure, of help, of a word that is no verb, and when it is forbidden', async (t) => {
  const { run, kept } = place(t)
  assert.equal((await run('inspect', 'nothing')).code, 125)
  assert.equal((await run('images', '--help')).code, 0)
  assert.equal((await run('../images')).code, 125)
  assert.deepEqual(kept(), [])
  const off = place(t, { NODE_DISABLE_COMPILE_CACHE: '1' })
  assert.equal((await off.run('images')).code, 0)
  assert.deepEqual(off.kept(), [])
})

test('a folder in which others can write is not used', async (t) => {
  const { folder, run, kept } = place(t)
  mkdirSync(folder)
  chmodSync(folder, 0o777)
  assert.equal((await run('images')).code, 0)
  assert.deepEqual(kept(), [])
})

test('a home that cannot be written is no failure', async (t) => {
  for (const XDG_CACHE_HOME of ['/proc', '/nowhere', 'relative', '/dev/null']) {
    const { code, stderr } = await place(t, { XDG_CACHE_HOME }).run('images')
    assert.deepEqual([code, stderr], [0, ''])
  }
})

if (lane() === 'root')
  test('root leaves nothing in the home of somebody else', async (t) => {
    const home = tempDir(t)
    chownSync(home, 1, 1)
    const env = { HOME: home, XDG_CACHE_HOME: undefined }
    assert.equal((await builder(['images'], { env })).code, 0)
    assert.deepEqual(readdirSync(home), [])
  })

test('code of a month ago goes, other files stay', async (t) => {
  const { folder, run, kept } = place(t)
  mkdirSync(folder, { mode: 0o700 })
  for (const name of ['old.code', 'new.code', 'unfinished.code.77', 'other']) {
    writeFileSync(join(folder, name), '')
    if (name !== 'new.code') utimesSync(join(folder, name), 1, 1)
  }
  await run('images')
  assert.deepEqual(
    kept().filter((name) => !name.startsWith('images-')),
    ['new.code', 'other'],
  )
})

test('certificates that the launcher hid from Node are there for what a verb starts', async (t) => {
  const main = join(tempDir(t), 'main.mjs')
  writeFileSync(main, 'console.log(process.env.NODE_EXTRA_CA_CERTS, process.env.BUILDER_HIDDEN_CERTS)')
  const env = { BUILDER_MAIN: main, BUILDER_HIDDEN_CERTS: '/etc/extra.pem', NODE_EXTRA_CA_CERTS: undefined }
  const { stdout } = await command([process.execPath, join(top, 'bin/start.cjs')], { env })
  assert.equal(stdout, '/etc/extra.pem undefined\n')
})
