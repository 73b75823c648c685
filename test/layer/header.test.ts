import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHeader } from '../../sdk/layer/decode.js'
import { encodeHeader, paddingOf, type TarEntry } from '../../sdk/layer/header.js'
import { extend, parsePax } from '../../sdk/layer/pax.js'

const plain: TarEntry = { type: 'file', name: 'f', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0n }

/** What a reader makes of an entry's header, and how many bytes the header has. */
function read(entry: TarEntry) {
  const bytes = Buffer.from(encodeHeader(entry))
  const first = decodeHeader(bytes.subarray(0, 512))
  assert.ok(first)
  if (first.flag !== 'x') return { ...first, length: bytes.length, records: undefined }
  const records = parsePax(bytes.toString('latin1', 512, 512 + first.size), 'f')
  const last = decodeHeader(bytes.subarray(-512))
  assert.ok(last)
  return { ...extend(last, records).header, length: bytes.length, records: records.map(([key]) => key) }
}

const GiB = 2 ** 30
const cases: readonly { title: string; entry: Partial<TarEntry>; records?: readonly string[] }[] = [
  { title: 'the largest size of ustar', entry: { size: 8 * GiB - 1 } },
  { title: 'a size of 8 GiB', entry: { size: 8 * GiB }, records: ['size'] },
  { title: 'a size of 5 TiB and one byte', entry: { size: 5 * 1024 * GiB + 1 }, records: ['size'] },
  { title: 'the largest size that a number holds', entry: { size: Number.MAX_SAFE_INTEGER }, records: ['size'] },
  { title: 'the largest ids of ustar', entry: { uid: 2097151, gid: 2097151 } },
  { title: 'ids beyond them', entry: { uid: 2097152, gid: 4294967294 }, records: ['gid', 'uid'] },
  { title: 'the last second of ustar', entry: { mtime: 8589934591n * 10n ** 9n } },
  { title: 'a second later', entry: { mtime: 8589934592n * 10n ** 9n }, records: ['mtime'] },
  { title: 'a second before 1970', entry: { mtime: -(10n ** 9n) }, records: ['mtime'] },
  { title: 'a nanosecond before 1970', entry: { mtime: -1n }, records: ['mtime'] },
  { title: 'a nanosecond', entry: { mtime: 1n }, records: ['mtime'] },
  { title: 'a name cut at its only slash', entry: { name: `${'p'.repeat(155)}/${'n'.repeat(100)}` } },
  { title: 'a prefix too long', entry: { name: `${'p'.repeat(156)}/${'n'.repeat(99)}` }, records: ['path'] },
  { title: 'a name too long', entry: { name: `${'p'.repeat(150)}/${'n'.repeat(101)}` }, records: ['path'] },
  { title: 'a long directory', entry: { type: 'directory', name: `${'d/'.repeat(100)}` } },
  { title: 'a link of 100 bytes', entry: { type: 'symlink', linkname: 'l'.repeat(100) } },
  { title: 'a link of 101 bytes', entry: { type: 'symlink', linkname: 'l'.repeat(101) }, records: ['linkpath'] },
]

for (const { title, entry, records } of cases)
  test(`header: ${title}`, () => {
    const wanted = { ...plain, ...entry }
    const got = read(wanted)
    assert.deepEqual(got.records, records)
    for (const key of ['name', 'uid', 'gid', 'size', 'mtime', 'mode'] as const) assert.equal(got[key], wanted[key], key)
    assert.equal(got.linkname, wanted.linkname ?? '')
    assert.equal(got.length % 512, 0)
  })

test('a pax record counts its own length, where that gets a digit more', () => {
  for (let length = 80; length < 1100; length++) {
    const xattrs = [['user.a', 'v'.repeat(length)]] as const
    const bytes = encodeHeader({ ...plain, xattrs })
    const size = Number.parseInt(bytes.toString('latin1', 124, 135), 8)
    const records = parsePax(bytes.toString('latin1', 512, 512 + size), 'f')
    assert.deepEqual(records, [['SCHILY.xattr.user.a', 'v'.repeat(length)]])
  }
})

test('padding fills a block, also over 8 GiB', () => {
  const sizes = [0, 1, 512, 513, 8 * GiB, 8 * GiB + 1, 2 ** 45 + 511]
  assert.deepEqual(sizes.map(paddingOf), [0, 511, 0, 511, 0, 511, 1])
})
