// Tars that others write: each in every form there is, and what OCI image-spec layer.md says about removals.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { test } from 'node:test'
import { isInUserNamespace } from '../../sdk/namespace/inside.js'
import { getXattr, listXattrs } from '../../sdk/namespace/libc.js'
import { needs, tempDir } from '../lane.js'
import { paxEntry, type RawEntry, tarOf } from './tar-bytes.js'
import { describeTree, unpack } from './tree.js'

const opaque = isInUserNamespace() ? 'user.overlay.opaque' : 'trusted.overlay.opaque'

for (const format of ['v7', 'oldgnu', 'gnu', 'ustar', 'pax'])
  test(`real tar's format ${format}`, async (t) => {
    const root = tempDir(t)
    mkdirSync(`${root}/${'deep/'.repeat(format === 'v7' ? 5 : 18)}`, { recursive: true })
    writeFileSync(`${root}/deep/file`, Buffer.alloc(70_000, 'content '))
    linkSync(`${root}/deep/file`, `${root}/deep/link`)
    symlinkSync('x'.repeat(format === 'gnu' || format === 'pax' ? 500 : 90), `${root}/symlink`)
    if (format.includes('gnu') || format === 'pax') writeFileSync(`${root}/${'n'.repeat(240)}`, 'long')
    const tar = execFileSync('tar', ['-cf', '-', `--format=${format}`, '--mtime=@1000000000', '-C', root, '.'])
    const { directory, applied } = await unpack(t, tar)
    const timeless = (tree: string) => describeTree(tree).map((line) => line.replace(/ \d{19}/, ''))
    assert.deepEqual(timeless(directory), timeless(root))
    assert.equal(applied.diffID, `sha256:${createHash('sha256').update(tar).digest('hex')}`)
    assert.equal(applied.size, tar.length)
  })

for (const options of [
  ['--format=oldgnu'],
  ['--format=gnu'],
  ...['0.0', '0.1', '1.0'].map((v) => ['--format=pax', `--sparse-version=${v}`]),
])
  test(`real tar's file with holes: ${options.join(' ')}`, async (t) => {
    const root = tempDir(t)
    const file = openSync(`${root}/sparse`, 'w')
    // More segments than one header holds, and more than one extension of it.
    for (let i = 0; i < 60; i++) writeSync(file, `data ${i}`, i * 1_000_000)
    closeSync(file)
    truncateSync(`${root}/sparse`, 70_000_000)
    writeFileSync(`${root}/then`, 'the next file')
    const tar = execFileSync('tar', ['-cf', '-', '--sparse', ...options, '-C', root, '.'], { maxBuffer: 2 ** 26 })
    assert.ok(tar.length < 1_000_000)
    const { directory } = await unpack(t, tar)
    assert.ok(readFileSync(`${directory}/sparse`).equals(readFileSync(`${root}/sparse`)))
    assert.ok(statSync(`${directory}/sparse`).blocks * 512 < 5_000_000)
    assert.equal(readFileSync(`${directory}/then`, 'utf8'), 'the next file')
  })

test("bsdtar's and Python's pax", async (t) => {
  if (!needs(t, 'python3')) return
  const script = `
import io, sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.PAX_FORMAT, pax_headers={'comment': 'global'})
info = tarfile.TarInfo('grö\\udcff/' + 'n' * 150)
info.mtime, info.uid, info.size = 1234567890.5, 3000, 3
out.addfile(info, io.BytesIO(b'abc'))
out.close()`
  const { directory } = await unpack(t, execFileSync('python3', ['-c', script]))
  const path = Buffer.concat([Buffer.from(`${directory}/grö`), Buffer.from([0xff]), Buffer.from(`/${'n'.repeat(150)}`)])
  const { uid, mtimeNs } = lstatSync(path, { bigint: true })
  assert.deepEqual([uid, mtimeNs], [3000n, 1_234_567_890_500_000_000n])
})

/** What is in the directory afterwards: name, and what `say` says of it. */
interface Case {
  readonly title: string
  readonly entries: readonly RawEntry[]
  readonly gives: readonly string[]
}

const file = (name: string, body = name): RawEntry => ({ name, body })
const folder = (name: string): RawEntry => ({ name, flag: '5', mode: 0o755 })

const cases: readonly Case[] = [
  { title: 'nothing but the end', entries: [], gives: [] },
  { title: 'a leading slash counts for nothing', entries: [file('/etc/x', 'x')], gives: ['etc/', 'etc/x x'] },
  { title: './ and // count for nothing', entries: [file('.//a/./b', 'x')], gives: ['a/', 'a/b x'] },
  { title: 'names with two dots that are not ..', entries: [file('..a'), file('b..')], gives: ['..a ..a', 'b.. b..'] },
  { title: 'a directory of old: a file whose name ends with /', entries: [{ name: 'd/', flag: '\0' }], gives: ['d/'] },
  { title: 'a contiguous file', entries: [{ name: 'f', flag: '7', body: 'x' }], gives: ['f x'] },
  {
    title: 'a long name and a long link of GNU',
    entries: [
      { name: '././@LongLink', flag: 'K', body: `${'l'.repeat(150)}\0` },
      { name: '././@LongLink', flag: 'L', body: `${'n'.repeat(150)}\0` },
      { name: 'short', flag: '2', link: 'short' },
    ],
    gives: [`${'n'.repeat(150)} -> ${'l'.repeat(150)}`],
  },
  {
    title: 'a global pax header, and a local one that overrules it',
    entries: [
      paxEntry({ path: 'global' }, 'g'),
      file('x', 'one'),
      paxEntry({ path: 'local' }),
      file('x', 'two'),
      paxEntry({ path: '' }),
      file('x', 'three'),
    ],
    gives: ['global one', 'local two', 'x three'],
  },
  {
    title: 'hdrcharset and unknown pax records are no matter',
    entries: [paxEntry({ hdrcharset: 'BINARY', path: 'caf\xe9', 'VENDOR.thing': 'x', atime: '1.5' }), file('x', 'x')],
    gives: ['caf\xe9 x'],
  },
  {
    title: 'the size of a pax header overrules',
    entries: [paxEntry({ size: 3 }), { name: 'f', body: 'abc', size: 0 }],
    gives: ['f abc'],
  },
  { title: 'a later file replaces an earlier', entries: [file('f', '1'), file('f', '22')], gives: ['f 22'] },
  {
    title: 'a file replaces a hard link, and not what it is linked to',
    entries: [file('a', 'old'), { name: 'b', flag: '1', link: 'a' }, file('b', 'new')],
    gives: ['a old', 'b new'],
  },
  {
    title: 'a file replaces a directory with all that is in it',
    entries: [folder('d/'), file('d/e/f'), file('d', 'x')],
    gives: ['d x'],
  },
  { title: 'a directory replaces a file', entries: [file('d'), folder('d'), file('d/f', 'x')], gives: ['d/', 'd/f x'] },
  {
    title: 'a directory again keeps what is in it',
    entries: [folder('d'), file('d/f', 'x'), folder('d')],
    gives: ['d/', 'd/f x'],
  },
  {
    title: 'a link replaces a directory, a directory the link',
    entries: [folder('d'), { name: 'd', flag: '2', link: '/' }, folder('d'), file('d/f', 'x')],
    gives: ['d/', 'd/f x'],
  },
  {
    title: 'a file replaces a symbolic link, and not what it points to',
    entries: [file('a', 'old'), { name: 'l', flag: '2', link: 'a' }, file('l', 'new')],
    gives: ['a old', 'l new'],
  },
  { title: 'a removal', entries: [file('d/.wh.x', '')], gives: ['d/', 'd/x gone'] },
  { title: 'a removal twice', entries: [file('.wh.x', ''), file('.wh.x', '')], gives: ['x gone'] },
  { title: 'a removal, then the file anew', entries: [file('.wh.x', ''), file('x', 'new')], gives: ['x new'] },
  { title: 'the file anew, then its removal below', entries: [file('x', 'new'), file('.wh.x', '')], gives: ['x new'] },
  {
    title: 'a removal, then a directory of that name: nothing of the one below is seen',
    entries: [file('.wh.d', ''), folder('d'), file('d/f', 'x')],
    gives: ['d/ opaque', 'd/f x'],
  },
  {
    title: 'a directory, then the removal of the one below',
    entries: [folder('d'), file('d/f', 'x'), file('.wh.d', '')],
    gives: ['d/ opaque', 'd/f x'],
  },
  {
    title: 'a removal, then a file in a directory that nobody spoke of',
    entries: [file('.wh.d', ''), file('d/f', 'x')],
    gives: ['d/ opaque', 'd/f x'],
  },
  {
    title: 'an opaque marker before and after its siblings',
    entries: [file('a/.wh..wh..opq', ''), file('a/f', 'x'), file('b/f', 'x'), file('b/.wh..wh..opq', '')],
    gives: ['a/ opaque', 'a/f x', 'b/ opaque', 'b/f x'],
  },
  {
    title: "aufs' own files are passed over",
    entries: [file('.wh..wh.aufs', 'x'), folder('.wh..wh.plnk/'), file('.wh..wh.plnk/1.2', 'x'), file('f', 'x')],
    gives: ['f x'],
  },
  {
    title: 'attributes that are not for a layer to set are passed over',
    entries: [
      paxEntry({
        'SCHILY.xattr.user.overlay.redirect': '/etc',
        'SCHILY.xattr.trusted.overlay.opaque': 'y',
        'SCHILY.xattr.security.selinux': 'label',
        'SCHILY.xattr.user.kept': '1',
      }),
      folder('d'),
    ],
    gives: ['d/ user.kept'],
  },
  {
    title: "a user's attribute on a link, where Linux has none, is passed over",
    entries: [paxEntry({ 'SCHILY.xattr.user.note': 'x' }), { name: 'l', flag: '2', link: 'x' }],
    gives: ['l -> x'],
  },
]

for (const { title, entries, gives } of cases)
  test(`unpack: ${title}`, async (t) => {
    const { directory } = await unpack(t, tarOf(...entries))
    assert.deepEqual(say(directory, ''), gives)
  })

function say(directory: string, prefix: string): string[] {
  return readdirSync(`${directory}/${prefix}`, 'latin1')
    .sort()
    .flatMap((child) => {
      const name = prefix + child
      const path = Buffer.from(`${directory}/${name}`, 'latin1')
      const stats = lstatSync(path)
      if (stats.isSymbolicLink()) return [`${name} -> ${readlinkSync(path)}`]
      if (stats.isCharacterDevice() && stats.rdev === 0) return [`${name} gone`]
      if (!stats.isDirectory()) return [`${name} ${readFileSync(path)}`]
      const marks = listXattrs(path).map((key) =>
        key === opaque && getXattr(path, key)?.toString() === 'y' ? 'opaque' : key,
      )
      return [[`${name}/`, ...marks].join(' '), ...say(directory, `${name}/`)]
    })
}

test('a directory that nobody spoke of: root, 0755, the time 0', async (t) => {
  const { directory } = await unpack(t, tarOf({ ...file('a/b'), uid: 5 }))
  const { mode, uid, gid, mtimeMs } = lstatSync(`${directory}/a`)
  assert.deepEqual([mode & 0o7777, uid, gid, mtimeMs], [0o755, 0, 0, 0])
})

test("base-256 numbers, GNU's and star's", async (t) => {
  const large = Buffer.from('800000000000000000012345', 'hex')
  const before1970 = Buffer.from('ffffffffffffffffffffffff', 'hex')
  const { directory } = await unpack(
    t,
    tarOf(
      { ...file('a'), patch: { 108: Buffer.from('8000000000000bb8', 'hex'), 136: large } },
      { ...file('b'), patch: { 136: before1970 } },
    ),
  )
  assert.equal(lstatSync(`${directory}/a`).uid, 3000)
  assert.equal(lstatSync(`${directory}/a`).mtimeMs, 0x12345 * 1000)
  assert.equal(lstatSync(`${directory}/b`).mtimeMs, -1000)
})

test('the checksum of an old tar, which summed signed bytes', async (t) => {
  const block = tarOf(file('caf\xe9', 'x'))
  const signed = block
    .subarray(0, 512)
    .reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : (byte << 24) >> 24), 0)
  const tar = tarOf({ ...file('caf\xe9', 'x'), checksum: `${signed.toString(8).padStart(6, '0')}\0 ` })
  assert.equal((await unpack(t, tar)).applied.entries, 1)
})

const ends: readonly { title: string; tar: Buffer }[] = [
  { title: 'no blocks of zeros', tar: tarOf(file('f', 'x')).subarray(0, -1024) },
  { title: 'one block of zeros', tar: tarOf(file('f', 'x')).subarray(0, -512) },
  { title: 'other bytes after the end', tar: Buffer.concat([tarOf(file('f', 'x')), Buffer.alloc(9000, 'junk')]) },
]
for (const { title, tar } of ends)
  test(`the archive may end with ${title}; the digest is of all`, async (t) => {
    const { applied } = await unpack(t, tar)
    assert.equal(applied.diffID, `sha256:${createHash('sha256').update(tar).digest('hex')}`)
    assert.deepEqual([applied.size, applied.entries], [tar.length, 1])
  })
