import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseContainerfile } from '../../sdk/containerfile/parse.js'
import { type PreprocessContainerfileOptions, preprocessContainerfile } from '../../sdk/containerfile/preprocess.js'
import { BuilderError } from '../../sdk/errors.js'
import { builder, tempDir } from '../lane.js'

/** The files of the scene: a context, a folder of includes beside it, and what nobody may read. */
const scene: Readonly<Record<string, string>> = {
  'context/common.in': 'RUN common TAG\n',
  'context/sub/near.in': 'RUN near\n#include "nearer.in"\n',
  'context/sub/nearer.in': 'RUN nearer\n#include "common.in"\n',
  'context/wrong.in': 'RUN x\nCPOY a b\n',
  'context/cycle.in': '#include "cycle.in"\n',
  'includes/shared.in': 'RUN shared\n',
  'includes/common.in': 'RUN the other common\n',
  'secret/key.in': 'RUN secret\n',
}

test('a quoted include is found beside its file, in the context, and in the include paths', (t) => {
  const { run } = prepare(t)
  assert.equal(run('#include "sub/near.in"\n').text, 'RUN near\nRUN nearer\nRUN common TAG\n')
  assert.equal(run('#include "shared.in"\n').text, 'RUN shared\n')
  assert.equal(run('#include <common.in>\n').text, 'RUN the other common\n')
  assert.equal(run('#define TAG 1\n#include "./sub/../common.in"\n').text, 'RUN common 1\n')
})

test('what is in a file that has no folder is found in the context', (t) => {
  const { run } = prepare(t)
  const source = run('#include "common.in"\n', { file: 'standard input', isNoFile: true })
  assert.equal(source.text, 'RUN common TAG\n')
})

/** What a user sees. The place stands in front of each. */
const refused: readonly (readonly [title: string, line: string, code: string, said: RegExp])[] = [
  [
    'none',
    '#include "none.in"',
    'NOT_FOUND',
    /^preprocess Main\.in:1: none\.in is not found; it was looked for in .*context, .*includes; add its folder with -I\n {2}1 \| #include "none\.in"$/,
  ],
  ['<> beside the file', '#include <sub/near.in>', 'NOT_FOUND', /is not found; it was looked for in .*includes; add/],
  [
    'an absolute path',
    '#include "/etc/passwd"',
    'UNSAFE',
    /Main\.in:1: \/etc\/passwd is absolute; name it from the context/,
  ],
  [
    'a path that leaves',
    '#include "../secret/key.in"',
    'UNSAFE',
    /secret\/key\.in, outside the context and the include paths; move it/,
  ],
  ['a link that leaves', '#include "link.in"', 'UNSAFE', /link\.in is .*secret\/key\.in, outside the context/],
  ['a folder link that leaves', '#include "way/key.in"', 'UNSAFE', /outside the context and the include paths/],
  ['a link that leads nowhere', '#include "dangling.in"', 'NOT_FOUND', /dangling\.in is not found/],
  ['a circle of links', '#include "circle.in"', 'NOT_FOUND', /circle\.in is not found/],
  ['a folder', '#include "sub"', 'UNSAFE', /sub is no regular file; include a file/],
  ['a pipe', '#include "pipe.in"', 'UNSAFE', /pipe\.in is no regular file/],
  ['no UTF-8', '#include "latin.in"', 'INVALID', /latin\.in is not UTF-8; save it as UTF-8/],
  [
    'a cycle',
    '#include "cycle.in"',
    'INVALID',
    /files include each other without end: .*cycle\.in > .*cycle\.in; begin the files that include each other with #pragma once/,
  ],
  ['#error', '#error no  luck', 'INVALID', /^preprocess Main\.in:1: no {2}luck\n {2}1 \| #error no {2}luck$/],
  ['several errors', '#error a\n#error b', 'INVALID', /a \(and 1 more error\)/],
  [
    'an #if without end',
    '#if 1',
    'INVALID',
    /has no #endif; end it with #endif in the same file; a comment that begins with such a word needs a space: # if/,
  ],
  [
    'a second #else',
    '#if 1\n#else\n#else\n#endif',
    'INVALID',
    /Main\.in:3: #else after #else; the conditional began at Main\.in:1/,
  ],
  ['a macro that recurses', '#define A A\nRUN A', 'INVALID', /the macro A expands to itself/],
]

for (const [title, line, code, said] of refused)
  test(`refused: ${title}`, (t) => {
    const { run } = prepare(t)
    assert.throws(
      () => run(`${line}\n`),
      (error) => error instanceof BuilderError && error.code === code && said.test(error.message),
    )
  })

test('a mistake in a definition of the command line is refused', (t) => {
  const { run } = prepare(t)
  assert.throws(() => run('RUN x\n', { defines: ['1=2'] }), /preprocess -D: 1 cannot be the name of a macro/)
})

test('an error of the parser names the line that the author wrote, through includes', (t) => {
  const { run, context } = prepare(t)
  const source = run('#define X y\nFROM scratch\n#include "wrong.in"\n')
  const file = join(context, 'wrong.in')
  assert.throws(
    () => parseContainerfile(source),
    (error: Error) => {
      assert.ok(error.message.startsWith(`parse ${file}:2:1: `), error.message)
      assert.match(error.message, /2 \| CPOY a b\n {4}\| \^\^\^\^\n {2}included from Main\.in:3$/)
      return true
    },
  )
})

test('a column is told only where no macro changed the line', (t) => {
  const { run } = prepare(t)
  const source = run('#define X yyyyyy\nFROM X\nRUN a\n')
  assert.deepEqual(source.positionOf(1, 6), { file: 'Main.in', line: 2, text: 'FROM X' })
  assert.deepEqual(source.positionOf(2, 5), { file: 'Main.in', line: 3, text: 'RUN a', column: 5 })
})

test('#warning is a warning with its place', (t) => {
  const { run } = prepare(t)
  const position = { file: 'Main.in', line: 2, text: '#warning old' }
  assert.deepEqual(run('RUN x\n#warning old\n').warnings, [{ rule: 'Preprocessor', message: 'old', position }])
})

test('builder preprocess prints what build would parse', async (t) => {
  const { context, folder } = prepare(t)
  writeFileSync(join(context, 'Containerfile.in'), '# syntax=x\nFROM debian:TAG\n#include "shared.in"\n#warning old\n')
  const flags = ['-D', 'TAG=12', '-I', join(folder, 'includes'), 'Containerfile.in']
  const { stdout, stderr, code } = await builder(['preprocess', ...flags], { cwd: context })
  assert.deepEqual([stdout, code], ['# syntax=x\nFROM debian:12\nRUN shared\n', 0])
  assert.match(stderr, /warning: Containerfile\.in:4: old/)
  const mapped = await builder(['preprocess', '--map', ...flags], { cwd: context })
  const { files, map } = JSON.parse(mapped.stdout)
  assert.deepEqual(files, ['Containerfile.in', join(folder, 'includes/shared.in')])
  assert.deepEqual(map[1], { first: 3, file: files[1], line: 1, included: [{ file: files[0], line: 3 }] })
  writeFileSync(join(context, 'old.in'), '#define A x\nRUN A\n')
  const old = await builder(['preprocess', '--cpp=traditional', '--line-markers', 'old.in'], { cwd: context })
  assert.match(old.stdout, /^# 0 "old\.in"\n# 0 "<built-in>"\n.*\n# 1 "old\.in"\n\nRUN x\n$/)
})

interface Scene {
  readonly folder: string
  readonly context: string
  run(text: string, options?: Partial<PreprocessContainerfileOptions>): ReturnType<typeof preprocessContainerfile>
}

function prepare(t: TestContext): Scene {
  const folder = tempDir(t)
  const context = join(folder, 'context')
  for (const [name, text] of Object.entries(scene)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  symlinkSync('../secret/key.in', join(context, 'link.in'))
  symlinkSync('../secret', join(context, 'way'))
  symlinkSync('nowhere', join(context, 'dangling.in'))
  symlinkSync('circle.in', join(context, 'circle.in'))
  execFileSync('mkfifo', [join(context, 'pipe.in')])
  writeFileSync(join(context, 'latin.in'), Buffer.from([0x52, 0xff, 0x0a]))
  assert.equal(readFileSync(join(context, 'link.in'), 'utf8'), 'RUN secret\n')
  const places = { file: 'Main.in', path: join(context, 'Main.in'), context, includePaths: [join(folder, 'includes')] }
  return { folder, context, run: (text, options) => preprocessContainerfile(text, { ...places, ...options }) }
}
