import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { digestOf } from '../../sdk/image/digest.js'
import { packLayer } from '../../sdk/layer/pack.js'
import { isInUserNamespace } from '../../sdk/namespace/inside.js'
import { mknod, setMtime, setXattr } from '../../sdk/namespace/libc.js'
import { tempDir } from '../lane.js'
import { describeTree, tarBytes, unpack } from './tree.js'

const opaque = isInUserNamespace() ? 'user.overlay.opaque' : 'trusted.overlay.opaque'

/** Makes a tree, and says how many entries of the layer it becomes, the root included. */
interface Case {
  readonly title: string
  readonly entries: number
  readonly make: (root: string) => void
}

const cases: readonly Case[] = [
  { title: 'nothing', entries: 1, make: () => {} },
  { title: 'an empty file', entries: 2, make: (root) => writeFileSync(`${root}/empty`, '') },
  ...[1, 511, 512, 513, 65536, 1024 * 1024 - 1024, 1024 * 1024, 3_000_000].map((size) => ({
    title: `a file of ${size} bytes`,
    entries: 2,
    make: (root: string) => writeFileSync(`${root}/file`, Buffer.alloc(size, 'content ')),
  })),
  {
    title: 'a file of 20 MB, hashed on another thread',
    entries: 2,
    make: (root) => writeFileSync(`${root}/file`, Buffer.alloc(20_000_000, 'content ')),
  },
  {
    title: 'directories in directories',
    entries: 4,
    make: (root) => mkdirSync(`${root}/a/b/c`, { recursive: true }),
  },
  {
    title: 'a name of 100 bytes',
    entries: 2,
    make: (root) => writeFileSync(`${root}/${'n'.repeat(100)}`, 'x'),
  },
  {
    title: 'a name of 101 bytes that no prefix can take',
    entries: 2,
    make: (root) => writeFileSync(`${root}/${'n'.repeat(101)}`, 'x'),
  },
  {
    title: 'a name of 255 bytes',
    entries: 2,
    make: (root) => writeFileSync(`${root}/${'n'.repeat(255)}`, 'x'),
  },
  {
    title: 'paths of every length around the limits of ustar',
    entries: 1 + 2 + 60,
    make: (root) => {
      const folder = `${root}/${'d'.repeat(154)}`
      mkdirSync(`${folder}/e`, { recursive: true })
      for (let i = 70; i < 130; i++) writeFileSync(`${folder}/${'f'.repeat(i)}`, String(i))
    },
  },
  {
    title: 'a path of more than 1000 bytes',
    entries: 7,
    make: (root) => {
      const folder = `${root}/${Array(5).fill('d'.repeat(200)).join('/')}`
      mkdirSync(folder, { recursive: true })
      writeFileSync(`${folder}/file`, 'x')
    },
  },
  {
    title: 'a name in UTF-8',
    entries: 3,
    make: (root) => {
      mkdirSync(`${root}/größe`)
      symlinkSync('größe/日本', `${root}/größe/日本語`)
    },
  },
  {
    title: 'a name that is not UTF-8',
    entries: 4,
    make: (root) => {
      mkdirSync(Buffer.from(`${root}/d\xff`, 'latin1'))
      writeFileSync(Buffer.from(`${root}/d\xff/caf\xe9`, 'latin1'), 'x')
      symlinkSync(Buffer.from('d\xff/caf\xe9', 'latin1'), Buffer.from(`${root}/\x80link`, 'latin1'))
    },
  },
  {
    title: 'names with spaces, quotes, newlines and a backslash',
    entries: 5,
    make: (root) => {
      for (const name of [' a ', '"b"', 'c\nd', 'e\\f']) writeFileSync(`${root}/${name}`, name)
    },
  },
  {
    title: 'names that only look like whiteouts',
    entries: 3,
    make: (root) => {
      writeFileSync(`${root}/.wh`, 'x')
      writeFileSync(`${root}/a.wh.b`, 'x')
    },
  },
  {
    title: 'hard links, the first name in the order of the walk',
    entries: 5,
    make: (root) => {
      mkdirSync(`${root}/b`)
      writeFileSync(`${root}/c`, 'shared')
      linkSync(`${root}/c`, `${root}/a`)
      linkSync(`${root}/c`, `${root}/b/${'x'.repeat(120)}`)
    },
  },
  {
    title: 'a hard link to a symbolic link, and to a fifo',
    entries: 5,
    make: (root) => {
      symlinkSync('nowhere', `${root}/a`)
      linkSync(`${root}/a`, `${root}/b`)
      mknod(`${root}/c`, 0o010600)
      linkSync(`${root}/c`, `${root}/d`)
    },
  },
  {
    title: 'symbolic links that point nowhere, out, up and very far',
    entries: 5,
    make: (root) => {
      symlinkSync('nowhere', `${root}/a`)
      symlinkSync('/etc/passwd', `${root}/b`)
      symlinkSync('../../../..', `${root}/c`)
      symlinkSync('x'.repeat(3000), `${root}/d`)
    },
  },
  { title: 'a fifo', entries: 2, make: (root) => mknod(`${root}/pipe`, 0o010640) },
  {
    title: 'setuid, setgid, sticky, and no permission at all',
    entries: 5,
    make: (root) => {
      for (const [name, mode] of [
        ['a', 0o4755],
        ['b', 0o2750],
        ['c', 0],
      ] as const) {
        writeFileSync(`${root}/${name}`, 'x')
        chmodSync(`${root}/${name}`, mode)
      }
      mkdirSync(`${root}/tmp`)
      chmodSync(`${root}/tmp`, 0o1777)
    },
  },
  {
    title: 'files in a directory with setgid and another group',
    entries: 4,
    make: (root) => {
      mkdirSync(`${root}/d`)
      chownSync(`${root}/d`, 0, 50)
      chmodSync(`${root}/d`, 0o2775)
      writeFileSync(`${root}/d/theirs`, 'x')
      writeFileSync(`${root}/d/ours`, 'x')
      chownSync(`${root}/d/ours`, 0, 0)
    },
  },
  {
    title: 'owners',
    entries: 3,
    make: (root) => {
      writeFileSync(`${root}/a`, 'x')
      chownSync(`${root}/a`, 1000, 33)
      chmodSync(`${root}/a`, 0o6711)
      mkdirSync(`${root}/b`)
      chownSync(`${root}/b`, 65534, 65534)
    },
  },
  {
    title: 'times: before 1970, in nanoseconds, after 2242',
    entries: 7,
    make: (root) => {
      const times = [
        -1n,
        -1_500_000_000n,
        -86_400_000_000_000n,
        1n,
        1_700_000_000_123_456_789n,
        9_000_000_000n * billion,
      ]
      for (const [i, time] of times.entries()) {
        writeFileSync(`${root}/${i}`, 'x')
        setMtime(`${root}/${i}`, time)
      }
    },
  },
  {
    title: "a directory's time and a link's",
    entries: 4,
    make: (root) => {
      mkdirSync(`${root}/d`)
      writeFileSync(`${root}/d/f`, 'x')
      utimesSync(`${root}/d`, 1000, 1000)
      symlinkSync('x', `${root}/l`)
      setMtime(`${root}/l`, 5_000_000_001n)
    },
  },
  {
    title: "attributes: the user's, with any bytes, and empty",
    entries: 3,
    make: (root) => {
      mkdirSync(`${root}/d`)
      setXattr(`${root}/d`, 'user.note', Buffer.from('a\0b\n=c\xff', 'latin1'))
      writeFileSync(`${root}/f`, 'x')
      setXattr(`${root}/f`, 'user.empty', Buffer.alloc(0))
      setXattr(`${root}/f`, 'user.gr\xc3\xb6\xc3\x9fe', Buffer.from('1'))
      setXattr(`${root}/f`, 'user.large', Buffer.alloc(1500, 'v'))
    },
  },
  {
    title: 'a file capability',
    entries: 2,
    make: (root) => {
      writeFileSync(`${root}/ping`, 'x')
      setXattr(`${root}/ping`, 'security.capability', netRaw)
    },
  },
  {
    title: 'access lists, also one that new files would inherit',
    entries: 3,
    make: (root) => {
      mkdirSync(`${root}/d`)
      writeFileSync(`${root}/d/f`, 'x')
      setXattr(`${root}/d`, 'system.posix_acl_default', acl)
      setXattr(`${root}/d/f`, 'system.posix_acl_access', acl)
    },
  },
  {
    title: 'a whiteout',
    entries: 3,
    make: (root) => {
      mkdirSync(`${root}/etc`)
      mknod(`${root}/etc/gone`, 0o020000)
    },
  },
  {
    title: 'whiteouts that share an inode, as overlayfs makes them',
    entries: 3,
    make: (root) => {
      mknod(`${root}/a`, 0o020000)
      linkSync(`${root}/a`, `${root}/b`)
    },
  },
  {
    title: 'an opaque directory',
    entries: 4,
    make: (root) => {
      mkdirSync(`${root}/etc`)
      setXattr(`${root}/etc`, opaque, Buffer.from('y'))
      writeFileSync(`${root}/etc/new`, 'x')
    },
  },
]

for (const { title, entries, make } of cases)
  test(`there and back: ${title}`, async (t) => {
    const root = join(tempDir(t), 'upper')
    mkdirSync(root)
    make(root)
    const tar = await tarBytes(root, { root: 'entry' })
    const packed = await packLayer(root, { root: 'entry' })
    assert.deepEqual(packed, { diffID: digestOf(tar), size: tar.length, entries })
    // Real tar reads every name and every size.
    const listed = execFileSync('tar', ['-tf', '-'], { input: tar, maxBuffer: 2 ** 26 })
    assert.equal(listed.toString('latin1').split('\n').length - 1, entries)
    const { directory, applied } = await unpack(t, tar)
    assert.equal(applied.diffID, packed.diffID)
    assert.equal(applied.size, packed.size)
    assert.equal(applied.entries, entries)
    assert.deepEqual(describeTree(directory), describeTree(root))
    assert.equal((await packLayer(directory, { root: 'entry' })).diffID, packed.diffID)
  })

test('there and back: a chunk may end anywhere', async (t) => {
  const root = tempDir(t)
  writeFileSync(`${root}/${'long'.repeat(40)}`, Buffer.alloc(5000, 'content '))
  symlinkSync('x'.repeat(300), `${root}/link`)
  const tar = await tarBytes(root)
  for (const chunk of [1, 7, 511, 512, 513, 4096]) {
    const { directory, applied } = await unpack(t, tar, chunk)
    assert.equal(applied.diffID, digestOf(tar))
    assert.deepEqual(describeTree(directory).slice(1), describeTree(root).slice(1))
  }
})

test('a file with holes is packed as zeros and unpacked with holes', async (t) => {
  const root = tempDir(t)
  const file = openSync(`${root}/sparse`, 'w')
  writeSync(file, 'begin', 0)
  writeSync(file, 'middle', 10_000_000)
  closeSync(file)
  truncateSync(`${root}/sparse`, 20_000_000)
  const { directory, applied } = await unpack(t, await tarBytes(root))
  const { size, blocks } = statSync(`${directory}/sparse`)
  assert.equal(size, 20_000_000)
  assert.ok(blocks * 512 < 1_000_000, `${blocks} blocks`)
  assert.equal((await packLayer(directory)).diffID, applied.diffID)
})

test('real tar unpacks what was packed', async (t) => {
  const root = tempDir(t)
  mkdirSync(`${root}/${'deep/'.repeat(60)}`, { recursive: true })
  writeFileSync(Buffer.from(`${root}/caf\xe9`, 'latin1'), 'x')
  writeFileSync(`${root}/日本語`, 'x')
  writeFileSync(`${root}/${'n'.repeat(200)}`, 'x')
  linkSync(`${root}/日本語`, `${root}/link`)
  symlinkSync('y'.repeat(150), `${root}/symlink`)
  setMtime(`${root}/日本語`, 1_600_000_000_987_654_321n)
  const target = tempDir(t)
  execFileSync('tar', ['-xpf', '-', '-C', target], { input: await tarBytes(root, { root: 'entry' }) })
  assert.deepEqual(describeTree(target), describeTree(root))
})

test('the root as unpacked is told, and is what the entry says', async (t) => {
  const root = join(tempDir(t), 'upper')
  mkdirSync(root)
  chownSync(root, 5, 6)
  chmodSync(root, 0o711)
  const { directory, applied } = await unpack(t, await tarBytes(root, { root: 'entry' }))
  assert.deepEqual(applied.root, { mode: 0o711, uid: 5, gid: 6 })
  assert.equal(lstatSync(directory).mode & 0o7777, 0o711)
  const { applied: without } = await unpack(t, await tarBytes(root))
  assert.equal(without.root, undefined)
})

const billion = 1_000_000_000n
/** cap_net_raw=ep, version 2. Source: linux/capability.h, struct vfs_cap_data. */
const netRaw = Buffer.from('0100000200200000000000000000000000000000', 'hex')
/** user::rw-,user:7:r--,group::r--,mask::r--,other::---. Source: linux/posix_acl_xattr.h. */
const acl = Buffer.from(
  `02000000${['01000600ffffffff', '0200040007000000', '04000400ffffffff', '10000400ffffffff', '20000000ffffffff'].join('')}`,
  'hex',
)
