import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { makeOpaque, makeWhiteout } from '../../sdk/layer/whiteout.js'
import { filesOfFolders, type ImageFiles } from '../../sdk/store/image-files.js'
import { tempDir } from '../lane.js'

/** What a layer holds: text is a file, `->` a link, `gone` and `opaque` are overlayfs' marks. */
type Layer = Readonly<Record<string, string>>

function layered(t: TestContext, ...layers: readonly Layer[]): ImageFiles {
  return filesOfFolders(
    layers.map((layer) => {
      const root = tempDir(t)
      for (const [path, content] of Object.entries(layer)) put(join(root, path), content)
      return root
    }),
  )
}

function put(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true })
  if (content === 'gone') makeWhiteout(path)
  else if (content === 'opaque') {
    mkdirSync(path, { recursive: true })
    makeOpaque(path)
  } else if (content.startsWith('->')) symlinkSync(content.slice(2), path)
  else writeFileSync(path, content)
}

function textOf(files: ImageFiles, path: string): string | undefined {
  using file = files.open(path)
  return file?.read(0, file.size).toString()
}

/** Layers, top first; a path; what is there. */
const table: readonly (readonly [what: string, layers: readonly Layer[], path: string, found: string | undefined])[] = [
  ['the only layer', [{ 'a/f': '1' }], 'a/f', '1'],
  ['the upper one', [{ 'a/f': '2' }, { 'a/f': '1' }], '/a/f', '2'],
  ['the lower one', [{ 'a/g': '2' }, { 'a/f': '1' }], 'a//./f', '1'],
  ['what was removed', [{ 'a/f': 'gone' }, { 'a/f': '1' }], 'a/f', undefined],
  ['what was removed and made again', [{ 'a/f': '3' }, { 'a/f': 'gone' }, { 'a/f': '1' }], 'a/f', '3'],
  ['a folder that was removed', [{ a: 'gone' }, { 'a/f': '1' }], 'a/f', undefined],
  ['a folder that was made anew', [{ a: 'opaque' }, { 'a/f': '1' }], 'a/f', undefined],
  ['below a folder made anew', [{ 'a/g': '3' }, { a: 'opaque' }, { 'a/f': '1' }], 'a/f', undefined],
  ['beside a folder made anew', [{ 'b/g': '3' }, { a: 'opaque' }, { 'b/f': '1' }], 'b/f', '1'],
  ['a file where a folder was', [{ a: '2' }, { 'a/f': '1' }], 'a/f', undefined],
  ['a folder where a file was', [{ 'a/g': '2' }, { a: '1' }], 'a/g', '2'],
  ['below a folder that hides a file', [{ 'a/g': '2' }, { a: 'x' }, { 'a/f': '1' }], 'a/f', undefined],
  ['a link to another layer', [{ l: '->a' }, { 'a/f': '1' }], 'l/f', '1'],
  ['a link with a root', [{ 'x/l': '->/a/f' }, { 'a/f': '1' }], 'x/l', '1'],
  ['a link that goes up', [{ 'x/y/l': '->../../a/f' }, { 'a/f': '1' }], 'x/y/l', '1'],
  ['a link that goes up too far', [{ 'x/l': '->../../../../../../a/f' }, { 'a/f': '1' }], 'x/l', '1'],
  ['a link to nothing', [{ l: '->gone/f' }], 'l', undefined],
  ['a folder', [{ 'a/f': '1' }], 'a', undefined],
  ['up beyond a link', [{ l: '->a/b', 'a/b/f': '', 'a/g': '4' }], 'l/../g', '4'],
]

for (const [what, layers, path, found] of table)
  test(`${what}: ${path}`, (t) => {
    assert.equal(textOf(layered(t, ...layers), path), found)
  })

test('the names of a folder are those of all layers', (t) => {
  const files = layered(t, { 'a/1': 'gone', 'a/4': '' }, { 'a/1': '', 'a/2': '', 'b/5': '' })
  assert.deepEqual(files.names('a'), ['2', '4'])
  assert.deepEqual(files.names('none'), [])
  assert.deepEqual(files.names('a/2'), [])
})

test('where a path leads', (t) => {
  const files = layered(t, { 'var/lib/rpm': '->../../usr/db' }, { 'usr/db/f': '' })
  assert.equal(files.resolve('/var/lib/rpm/f'), '/usr/db/f')
  assert.equal(files.resolve('/var/lib/rpm/g'), undefined)
})

test('links in a circle end', (t) => {
  assert.throws(
    () => layered(t, { a: '->b', b: '->a' }).open('a'),
    /read file of image a: it leads through more than 40/,
  )
})

test('a file that a link replaces while it is opened is not read', (t) => {
  const [root, outside] = [tempDir(t), tempDir(t)]
  mkdirSync(join(root, 'a'))
  writeFileSync(join(root, 'a/f'), 'inside')
  writeFileSync(join(outside, 'f'), 'outside')
  // What was looked at is a folder; what is opened goes through a link. The kernel's word on where the file is decides.
  const files = filesOfFolders([join(root, 'l')])
  symlinkSync(join(root, 'a'), join(root, 'l'))
  assert.throws(() => files.open('f'), /f: it was replaced while it was opened; try again/)
  rmSync(join(root, 'l'))
  renameSync(join(root, 'a'), join(root, 'l'))
  assert.equal(textOf(files, 'f'), 'inside')
})

test('a part of a file, and no more than there is', (t) => {
  using file = layered(t, { f: '0123456789' }).open('f')
  assert.equal(file?.size, 10)
  assert.deepEqual(
    [file?.read(2, 3).toString(), file?.read(8, 9).toString(), file?.read(20, 5).toString()],
    ['234', '89', ''],
  )
})

test('a folder that this user may not enter: says what to do', (t) => {
  if (process.geteuid?.() === 0) return
  const root = tempDir(t)
  mkdirSync(join(root, 'a'))
  chmodSync(join(root, 'a'), 0)
  assert.throws(
    () => filesOfFolders([root]).open('a/f'),
    /permission denied: it belongs to another id.*; run the command in builder unshare/,
  )
})
