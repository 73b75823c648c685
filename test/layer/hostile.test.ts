// Unpacking trusts nothing. Each case is an attack or a lie; the reader must refuse it and write nothing outside.
import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BuilderError } from '../../sdk/errors.js'
import { applyLayer } from '../../sdk/layer/apply.js'
import { packLayer } from '../../sdk/layer/pack.js'
import { isInUserNamespace } from '../../sdk/namespace/inside.js'
import { majorOf, minorOf, mount } from '../../sdk/namespace/libc.js'
import { tempDir } from '../lane.js'
import { paxEntry, type RawEntry, rawEntry, streamOf, tarOf } from './tar-bytes.js'

interface Case {
  readonly title: string
  readonly tar: Buffer | readonly RawEntry[]
  readonly code: string
  readonly says: RegExp
}

const file = (name: string, body = 'evil'): RawEntry => ({ name, body })
const link = (name: string, to: string): RawEntry => ({ name, flag: '2', link: to })
const hard = (name: string, to: string): RawEntry => ({ name, flag: '1', link: to })
const device = (name: string, major: number, minor: number): RawEntry => ({ name, flag: '3', major, minor })
const whole = tarOf(file('a', 'x'.repeat(5000)))

const cases: readonly Case[] = [
  { title: 'a name with ..', tar: [file('../outside')], code: 'UNSAFE', says: /\.\.\/outside: .*leaves the root/ },
  { title: 'a name with .. in the middle', tar: [file('a/../../outside')], code: 'UNSAFE', says: /leaves the root/ },
  { title: 'a name that ends with ..', tar: [file('a/..')], code: 'UNSAFE', says: /leaves the root/ },
  { title: 'an absolute name with ..', tar: [file('/../outside')], code: 'UNSAFE', says: /leaves the root/ },
  { title: 'a pax path with ..', tar: [paxEntry({ path: '../outside' }), file('a')], code: 'UNSAFE', says: /leaves/ },
  {
    title: 'a long name of GNU with ..',
    tar: [{ name: 'x', flag: 'L', body: '../outside\0' }, file('a')],
    code: 'UNSAFE',
    says: /leaves/,
  },
  { title: 'a name with a NUL', tar: [paxEntry({ path: 'a\0b' }), file('a')], code: 'INVALID', says: /NUL/ },
  {
    title: 'a file through a link that leads out',
    tar: [link('way', '../outside'), file('way/in')],
    code: 'UNSAFE',
    says: /\/way\/in: .*\/way, which is a symbolic link/,
  },
  { title: 'a file through an absolute link', tar: [link('way', '/'), file('way/in')], code: 'UNSAFE', says: /link/ },
  {
    title: 'a file through a link to a directory of the layer',
    tar: [file('real/x'), link('way', 'real'), file('way/in')],
    code: 'UNSAFE',
    says: /link/,
  },
  {
    title: 'a file through a link that replaced a directory',
    tar: [file('d/e/x'), link('d', '/'), file('d/e/in')],
    code: 'UNSAFE',
    says: /\/d\/e\/in: .*\/d, which/,
  },
  {
    title: 'a directory through a link',
    tar: [link('way', '/'), { name: 'way/in', flag: '5' }],
    code: 'UNSAFE',
    says: /link/,
  },
  {
    title: 'a removal through a link',
    tar: [link('way', '/'), file('way/.wh.etc', '')],
    code: 'UNSAFE',
    says: /link/,
  },
  {
    title: 'an opaque marker through a link',
    tar: [link('way', '/'), file('way/.wh..wh..opq', '')],
    code: 'UNSAFE',
    says: /link/,
  },
  { title: 'a hard link out by ..', tar: [hard('a', '../outside')], code: 'UNSAFE', says: /leaves the root/ },
  {
    title: 'a hard link through a link',
    tar: [link('way', '/etc'), hard('a', 'way/passwd')],
    code: 'UNSAFE',
    says: /\/a: .*\/way, which is a symbolic link/,
  },
  { title: 'a hard link to nothing', tar: [hard('a', 'b')], code: 'INVALID', says: /\/a: .*hard link to \/b, which/ },
  {
    title: "a hard link to the machine's /etc/passwd",
    tar: [hard('a', '/etc/passwd')],
    code: 'INVALID',
    says: /does not have/,
  },
  { title: 'a hard link to a directory', tar: [file('d/x'), hard('a', 'd')], code: 'INVALID', says: /is a directory/ },
  { title: 'a hard link to itself', tar: [file('a'), hard('a', 'a')], code: 'INVALID', says: /itself/ },
  { title: 'a hard link to a removal', tar: [file('.wh.b'), hard('a', 'b')], code: 'INVALID', says: /does not have/ },
  { title: 'a removal of ..', tar: [file('d/.wh...')], code: 'UNSAFE', says: /removes something/ },
  { title: 'a removal of .', tar: [file('d/.wh..')], code: 'UNSAFE', says: /removes something/ },
  { title: 'a removal of nothing', tar: [file('d/.wh.')], code: 'UNSAFE', says: /removes something/ },
  { title: 'a file in a removal', tar: [file('.wh.d/f')], code: 'INVALID', says: /cannot hold files/ },
  { title: 'a file in a file', tar: [file('a'), file('a/b')], code: 'INVALID', says: /\/a is not a directory/ },
  { title: 'a root that is a file', tar: [file('./')], code: 'INVALID', says: /must be a directory/ },
  { title: 'a root that is a link', tar: [link('.', '/')], code: 'INVALID', says: /must be a directory/ },
  { title: "overlayfs' own removal as a device", tar: [device('a', 0, 0)], code: 'INVALID', says: /0:0/ },
  { title: 'a link to nothing', tar: [link('a', '')], code: 'INVALID', says: /link to nothing/ },
  {
    title: 'a name of 300 bytes',
    tar: [paxEntry({ path: 'n'.repeat(300) }), file('a')],
    code: 'INVALID',
    says: /too long/,
  },
  { title: 'a type that no layer has', tar: [{ name: 'a', flag: 'V' }], code: 'INVALID', says: /type "V"/ },
  { title: 'a wrong checksum', tar: [{ ...file('a'), checksum: '000000\0 ' }], code: 'INVALID', says: /checksum/ },
  {
    title: 'a size that is not a number',
    tar: [{ ...file('a'), patch: { 124: '12x' } }],
    code: 'INVALID',
    says: /size/,
  },
  {
    title: 'a negative size',
    tar: [{ ...file('a'), patch: { 124: Buffer.alloc(12, 0xff) } }],
    code: 'INVALID',
    says: /negative/,
  },
  {
    title: 'a size beyond all numbers',
    tar: [{ ...file('a'), patch: { 124: Buffer.from('8000007fffffffffffffffff', 'hex') } }],
    code: 'INVALID',
    says: /too large/,
  },
  { title: 'a size larger than the archive', tar: [{ ...file('a'), size: 99999 }], code: 'INVALID', says: /ends in/ },
  { title: 'a size of 8 TiB', tar: [paxEntry({ size: 2 ** 43 }), file('a')], code: 'INVALID', says: /ends in/ },
  {
    title: 'a size that ends in the middle of the content',
    tar: [{ ...file('a', 'x'.repeat(2000)), size: 100 }],
    code: 'INVALID',
    says: /checksum|number/,
  },
  { title: 'an end in the middle of a header', tar: whole.subarray(0, 100), code: 'INVALID', says: /ends in/ },
  { title: 'an end in the middle of the content', tar: whole.subarray(0, 3000), code: 'INVALID', says: /ends in/ },
  { title: 'an end in the middle of the padding', tar: whole.subarray(0, 5600), code: 'INVALID', says: /ends in/ },
  {
    title: 'an end after a pax header',
    tar: rawEntry(paxEntry({ path: 'a' })),
    code: 'INVALID',
    says: /ends after an extended header/,
  },
  {
    title: 'entries after the end',
    tar: Buffer.concat([Buffer.alloc(512), rawEntry(file('hidden'))]),
    code: 'INVALID',
    says: /follow the end/,
  },
  {
    title: 'a pax header of 2 MiB',
    tar: [{ name: 'x', flag: 'x', body: Buffer.alloc(2 ** 21, 'x') }, file('a')],
    code: 'INVALID',
    says: /more than 1048576/,
  },
  {
    title: 'a pax header that says 1 TiB',
    tar: [{ name: 'x', flag: 'x', patch: { 124: Buffer.from('800000000000010000000000', 'hex') } }],
    code: 'INVALID',
    says: /more than 1048576/,
  },
  {
    title: 'global pax headers without end',
    tar: Array.from({ length: 30 }, (_, i) => paxEntry({ [`key${i}`]: 'v'.repeat(50_000) }, 'g')),
    code: 'INVALID',
    says: /more than 1048576/,
  },
  {
    title: 'a long name of 2 MiB',
    tar: [{ name: 'x', flag: 'L', body: Buffer.alloc(2 ** 21, 'n') }, file('a')],
    code: 'INVALID',
    says: /more than 1048576/,
  },
  ...['5 a=b\n', '99 a=b\n', 'x a=b\n', '6 ab\n\n', '6 =bc\n', '6 a=bc'].map((body) => ({
    title: `a malformed pax record ${JSON.stringify(body)}`,
    tar: [{ name: 'x', flag: 'x', body }, file('a')],
    code: 'INVALID',
    says: /pax header is malformed/,
  })),
  { title: 'a pax size that is text', tar: [paxEntry({ size: '1e3' }), file('a')], code: 'INVALID', says: /pax size/ },
  {
    title: 'a pax time that is text',
    tar: [paxEntry({ mtime: 'now' }), file('a')],
    code: 'INVALID',
    says: /pax mtime/,
  },
  {
    title: 'the owner that chown would ignore',
    tar: [paxEntry({ uid: 2 ** 32 - 1 }), file('a')],
    code: 'INVALID',
    says: /id/,
  },
  {
    title: 'segments beyond the end of the file',
    tar: [paxEntry({ 'GNU.sparse.size': 10, 'GNU.sparse.map': '0,2,100,2' }), file('a')],
    code: 'INVALID',
    says: /sparse map/,
  },
  {
    title: 'segments that overlap',
    tar: [paxEntry({ 'GNU.sparse.size': 10, 'GNU.sparse.map': '0,3,1,1' }), file('a')],
    code: 'INVALID',
    says: /sparse map/,
  },
  {
    title: 'segments with more data than there is',
    tar: [paxEntry({ 'GNU.sparse.size': 100, 'GNU.sparse.map': '0,100' }), file('a')],
    code: 'INVALID',
    says: /does not fit its data/,
  },
  {
    title: 'a sparse map in the data that is not one',
    tar: [
      paxEntry({ 'GNU.sparse.major': 1, 'GNU.sparse.minor': 0, 'GNU.sparse.realsize': 9 }),
      file('a', 'x\n'.repeat(300)),
    ],
    code: 'INVALID',
    says: /sparse map/,
  },
  {
    title: 'a sparse map in the data without end',
    tar: [
      paxEntry({ 'GNU.sparse.major': 1, 'GNU.sparse.minor': 0, 'GNU.sparse.realsize': 9 }),
      file('a', `99999\n${'1'.repeat(2_000_000)}`),
    ],
    code: 'INVALID',
    says: /sparse map/,
  },
]

for (const { title, tar, code, says } of cases)
  test(`refused: ${title}`, async (t) => {
    const folder = tempDir(t)
    const directory = join(folder, 'diff')
    mkdirSync(directory)
    const open = readdirSync('/proc/self/fd').length
    const bytes = Buffer.isBuffer(tar) ? tar : tarOf(...(tar as readonly RawEntry[]))
    await assert.rejects(applyLayer(streamOf(bytes), directory), (error: BuilderError) => {
      assert.ok(error instanceof BuilderError, String(error))
      assert.equal(error.code, code)
      assert.equal(error.operation, 'unpack layer')
      assert.match(error.message, says)
      assert.doesNotMatch(error.message, /\/diff|E[A-Z]{4,}/)
      return true
    })
    assert.deepEqual(readdirSync(folder), ['diff'])
    assert.ok(!existsSync('/outside') && !existsSync('/in'))
    assert.equal(readdirSync('/proc/self/fd').length, open)
  })

test('a device: made by real root, refused in a user namespace', async (t) => {
  const directory = tempDir(t)
  const unpacking = applyLayer(streamOf(tarOf(device('dev/tty', 5, 1_000_000))), directory)
  if (isInUserNamespace())
    return assert.rejects(unpacking, {
      code: 'UNSUPPORTED',
      message: /\/dev\/tty: it is a device \(5:1000000\), and a user namespace .*as root/,
    })
  const { diffID, size } = await unpacking
  const { rdev } = lstatSync(`${directory}/dev/tty`, { bigint: true })
  assert.deepEqual([majorOf(rdev), minorOf(rdev)], [5, 1_000_000])
  const again = await packLayer(directory)
  assert.equal(again.entries, 2)
  assert.ok(diffID !== again.diffID && size + 512 === again.size)
})

test('an owner outside the id map: real root has every id', async (t) => {
  const directory = tempDir(t)
  const unpacking = applyLayer(streamOf(tarOf({ ...file('srv/x'), uid: 70_000 })), directory)
  if (isInUserNamespace()) return assert.rejects(unpacking, { code: 'ID_MAP', message: /uid 70000 of \/srv\/x/ })
  await unpacking
  assert.equal(lstatSync(`${directory}/srv/x`).uid, 70_000)
})

test('a full disk', async (t) => {
  const directory = join(tempDir(t), 'small')
  mkdirSync(directory)
  mount('tmpfs', directory, 'tmpfs', 0, 'size=1m')
  await assert.rejects(applyLayer(streamOf(tarOf(file('big', 'x'.repeat(3_000_000)))), directory), {
    code: 'SYSTEM',
    message: /^unpack layer \/big: the disk is full; free some space/,
  })
})

test('refused: more than the limits', async (t) => {
  const tar = tarOf(file('a'), file('b'))
  const apply = (limits: { size?: number; entries?: number }) => applyLayer(streamOf(tar), tempDir(t), { limits })
  await assert.rejects(apply({ entries: 1 }), { code: 'INVALID', reason: 'it has more than 1 entries' })
  await assert.rejects(apply({ size: 2000 }), { code: 'INVALID', reason: 'it has more than 2000 bytes' })
  assert.equal((await apply({ entries: 2, size: tar.length })).entries, 2)
})

test('a hostile name cannot write to the terminal', async (t) => {
  const tar = tarOf(paxEntry({ path: '\x1b[2Jevil/../..' }), file('a'))
  await assert.rejects(applyLayer(streamOf(tar), tempDir(t)), { message: /^unpack layer \\x1b\[2Jevil/ })
})

test("a signal stops unpacking, also while the stream keeps silent; the stream's own error comes through", async (t) => {
  const apply = (tar: AsyncIterable<Uint8Array>, signal: AbortSignal) => applyLayer(tar, tempDir(t), { signal })
  await assert.rejects(apply(streamOf(whole), AbortSignal.abort()), { code: 'ABORTED' })
  async function* silent() {
    yield whole.subarray(0, 700)
    await new Promise(() => {})
  }
  const controller = new AbortController()
  setTimeout(() => controller.abort(new Error('enough')), 20)
  await assert.rejects(apply(silent(), controller.signal), { code: 'ABORTED' })
  async function* broken() {
    yield whole.subarray(0, 700)
    throw new BuilderError('DIGEST', { operation: 'read', object: 'blob', reason: 'altered' })
  }
  await assert.rejects(apply(broken(), new AbortController().signal), { code: 'DIGEST' })
})
