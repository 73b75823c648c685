import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Header, Pax } from 'tar'
import { startTimeOf } from '../../sdk/namespace/process.js'
import { temporaryPath } from '../../sdk/store/temporary.js'
import { openArchive } from '../../sdk/transport/archive.js'
import { createArchive } from '../../sdk/transport/archive-file.js'
import { type FileTree, readWhole } from '../../sdk/transport/tree.js'
import {
  type Bench,
  copy,
  failsWith,
  host,
  newBench,
  put,
  sampleImage,
  type TarEntry,
  tarOf,
  write,
  zstd,
} from './sample.js'

describe('reading an archive', () => {
  const plain = tarOf({ one: 'first', './two': 'second', 'a/b': 'third', empty: '' })

  for (const [title, bytes] of [
    ['plain', plain],
    ['with gzip', gzipSync(plain)],
    ['with zstd', zstd(plain)],
    ['that ends without padding', plain.subarray(0, plain.length - 512)],
  ] as const)
    it(`finds entries by name: ${title}`, async () => {
      await using bench = await newBench()
      await using archive = await open(bench, bytes)
      assert.deepEqual(await texts(archive, ['one', 'two', 'a/b', 'empty']), ['first', 'second', 'third', ''])
      assert.equal(await archive.size('three'), undefined)
      assert.deepEqual(readdirSync(bench.at('store/tmp')), [])
    })

  it('takes one from a pipe', async () => {
    await using bench = await newBench()
    host(['mkfifo', bench.at('pipe')])
    const writer = spawn('cp', [write(bench.at('archive'), plain), bench.at('pipe')])
    await using archive = await openArchive(bench.store, bench.at('pipe'), 'pipe')
    assert.deepEqual(await texts(archive, ['a/b']), ['third'])
    assert.equal(writer.exitCode ?? 0, 0)
  })

  for (const [title, format] of [
    ['PAX records', 'pax'],
    ['GNU long names', 'gnu'],
    ['the ustar prefix', 'ustar'],
  ] as const)
    it(`knows long names in ${title}`, async () => {
      await using bench = await newBench()
      const path = `${'d'.repeat(format === 'ustar' ? 90 : 180)}/${'f'.repeat(90)}`
      write(bench.at(`tree/${path}`), 'far')
      symlinkSync(path, bench.at('tree/link'))
      const wanted = format === 'ustar' ? [path] : [path, 'link']
      host(['tar', `--format=${format}`, '-cf', bench.at('archive'), ...wanted], { cwd: bench.at('tree') })
      await using archive = await openArchive(bench.store, bench.at('archive'), 'archive')
      assert.deepEqual(
        await texts(archive, wanted),
        wanted.map(() => 'far'),
      )
    })

  it('knows sizes in PAX records and in base 256', async () => {
    await using bench = await newBench()
    const pax = Buffer.concat([new Pax({ path: 'paxed', size: 3 }).encode(), tarOf({ short: 'abc' })])
    await using archive = await open(bench, pax)
    assert.deepEqual(await texts(archive, ['paxed']), ['abc'])
    const big = new Header({ path: 'big', size: 2 ** 40, mode: 0o644, mtime: new Date(0) })
    big.encode()
    await assert.rejects(open(bench, big.block as Buffer), failsWith('INVALID', 'truncated'))
  })

  for (const [title, bytes, text] of [
    ['nothing', Buffer.alloc(0), 'truncated'],
    ['a part of a header', plain.subarray(0, 100), 'truncated'],
    ['a part of a file', plain.subarray(0, 515), 'truncated'],
    ['text', Buffer.alloc(2048, 'x'), 'not a tar archive'],
    ['a damaged header', altered(plain, 1030), 'damaged'],
    ['gzip that ends early', gzipSync(plain).subarray(0, 60), 'damaged'],
    ['altered gzip', altered(gzipSync(plain), 40), ''],
    ['a record without an end', new Pax({ path: 'x'.repeat(2 << 20) }).encode(), 'extended header'],
  ] as const)
    it(`refuses ${title}`, async () => {
      await using bench = await newBench()
      await assert.rejects(open(bench, bytes), failsWith('INVALID', text))
      assert.deepEqual(readdirSync(bench.at('store/tmp')), [])
    })

  it('refuses a directory', async () => {
    await using bench = await newBench()
    await assert.rejects(openArchive(bench.store, bench.folder, 'archive'), failsWith('INVALID', 'it is a directory'))
  })
})

describe('names in an archive', () => {
  const secret = 'a secret of the host'

  for (const [title, entry] of [
    ['an absolute symlink', { type: 'SymbolicLink', linkpath: 'SECRET' }],
    ['a symlink up', { type: 'SymbolicLink', linkpath: '../../secret' }],
    ['a hard link to an absolute name', { type: 'Link', linkpath: 'SECRET' }],
    ['a hard link up', { type: 'Link', linkpath: '../secret' }],
  ] as const)
    it(`lead nowhere: ${title}`, async () => {
      await using bench = await newBench()
      const path = write(bench.at('secret'), secret)
      const linkpath = entry.linkpath === 'SECRET' ? path : entry.linkpath
      await using archive = await open(bench, tarOf({ 'in/layer': { ...entry, linkpath } as TarEntry }))
      await assert.rejects(archive.stream('in/layer'), failsWith('UNSAFE', 'outside'))
    })

  for (const [title, entries] of [
    ['a link to itself', { a: { type: 'SymbolicLink', linkpath: 'a' } }],
    ['links in a circle', { a: { type: 'Link', linkpath: 'b' }, b: { type: 'SymbolicLink', linkpath: 'a' } }],
  ] as const)
    it(`do not go round for ever: ${title}`, async () => {
      await using bench = await newBench()
      await using archive = await open(bench, tarOf(entries as Record<string, TarEntry>))
      await assert.rejects(archive.stream('a'), failsWith('INVALID', 'circle'))
    })

  it('that occur twice are refused when they are wanted', async () => {
    await using bench = await newBench()
    const bytes = tarOf([
      ['one', 'a'],
      ['./one', 'b'],
      ['two', 'c'],
    ])
    await using archive = await open(bench, bytes)
    await assert.rejects(archive.stream('one'), failsWith('INVALID', '2 times'))
    assert.deepEqual(await texts(archive, ['two']), ['c'])
  })

  it('that climb or are absolute are never what is looked for', async () => {
    await using bench = await newBench()
    await using archive = await open(bench, tarOf({ '../one': 'a', '/one': 'b', 'x/../../one': 'c' }))
    assert.equal(await archive.size('one'), undefined)
  })
})

describe('writing an archive', () => {
  for (const kind of ['oci-archive', 'docker-archive'])
    it(`gives equal bytes for equal images, which tar can list: ${kind}`, async () => {
      await using bench = await newBench()
      const image = sampleImage({ files: ['a', 'b', 'c', 'd', 'e', 'f'] })
      await put(bench, image, `${kind}:${bench.at('one')}:web`)
      await put(bench, image, `dir:${bench.at('dir')}`)
      await copy(bench, `dir:${bench.at('dir')}`, `${kind}:${bench.at('two')}:web`)
      host(['cmp', bench.at('one'), bench.at('two')])
      const list = host(['tar', '--full-time', '--numeric-owner', '-tvf', bench.at('one')])
        .trimEnd()
        .split('\n')
      assert.ok(
        list.every((line) => /^(-rw-r--r--|drwxr-xr-x) 0\/0 +\d+ 1970-01-01 00:00:00 /.test(line)),
        list.join('\n'),
      )
      const names = list.map((line) => line.split(' ').at(-1) as string)
      if (kind === 'oci-archive') assert.deepEqual(names, [...names].sort())
    })

  it('holds entries of more than 8 GiB', async () => {
    await using bench = await newBench()
    await using archive = await createArchive(bench.store, bench.at('big'), 'big')
    const size = 9 * 2 ** 30
    await archive.reserve('big', size).fill((async function* () {})())
    await archive.append('after', (async function* () {})())
    await archive.finish({ replace: false })
    assert.match(host(['tar', '-tvf', bench.at('big')]), new RegExp(`${size}.*big\\n.* after\\n`))
    await using back = await openArchive(bench.store, bench.at('big'), 'big')
    assert.equal(await back.size('big'), size)
  })

  for (const kind of ['oci-archive', 'docker-archive'])
    it(`pours it into a pipe: ${kind}`, async () => {
      await using bench = await newBench()
      host(['mkfifo', bench.at('pipe')])
      const reader = spawn('cp', [bench.at('pipe'), bench.at('poured')])
      const ended = once(reader, 'close')
      const image = sampleImage({ files: ['x'.repeat(100_000)] })
      await put(bench, image, `${kind}:${bench.at('pipe')}`)
      await ended
      await put(bench, image, `${kind}:${bench.at('file')}`)
      host(['cmp', bench.at('poured'), bench.at('file')])
      assert.deepEqual(readdirSync(bench.at('store/tmp')), [])
    })

  it('clears away what killed processes left, and nothing else', async () => {
    await using bench = await newBench()
    const boot = basename(temporaryPath(bench.store)).split('-').at(-2)
    const [dead, alive] = [`1-1-${pidNamespace()}`, `${process.pid}-${startTimeOf(process.pid)}-${pidNamespace()}`]
    const mine = [`.out.${alive}-${boot}-0123456789abcdef`, '.out.bak', `.other.${dead}-${boot}-0123456789abcdef`]
    const foreign = `.out.${dead}-00000000-0123456789abcdef`
    for (const name of [...mine, foreign, `.out.${dead}-${boot}-0123456789abcdef`]) write(bench.at(name), 'x')
    for (const kind of kinds) await put(bench, sampleImage(), `${kind}:${bench.at('out')}`).catch(() => {})
    assert.deepEqual(readdirSync(bench.folder).sort(), [...mine, foreign, 'out', 'run', 'store'].sort())
  })

  it('never replaces what appeared in the meantime unless it may', async () => {
    await using bench = await newBench()
    for (const replace of [true, false]) {
      await using archive = await createArchive(bench.store, bench.at('out'), 'out')
      write(bench.at('out'), 'other')
      if (replace) await archive.finish({ replace })
      else await assert.rejects(archive.finish({ replace }), failsWith('EXISTS'))
    }
    assert.deepEqual(readdirSync(bench.folder).sort(), ['out', 'run', 'store'])
  })
})

async function open(bench: Bench, bytes: Uint8Array): Promise<FileTree> {
  return openArchive(bench.store, write(bench.at('archive'), bytes), 'archive')
}

function texts(archive: FileTree, paths: readonly string[]): Promise<string[]> {
  return Promise.all(paths.map(async (path) => (await readWhole(archive, path, 1000)).toString()))
}

function pidNamespace(): string {
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] as string
}

const kinds = ['oci-archive', 'docker-archive', 'oci', 'dir']

function altered(bytes: Buffer, place: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[place] = (copy[place] as number) ^ 0xff
  return copy
}
