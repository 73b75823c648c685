import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { builder, command, needs, tempDir, top } from '../lane.js'
import { corpus, refused } from './convert-corpus.js'

const store = tempDir({ after })
const folder = tempDir({ after })
const context = join(folder, 'context')
const env = { SOURCE_DATE_EPOCH: '1700000000', BUILDER_ROOT: join(store, 'root'), BUILDER_RUNROOT: join(store, 'run') }
const file = (name: string, end = 'Containerfile') => join(folder, `${name}.${end}`)

/** What each Containerfile gives when it is built. */
let built: Record<string, string> = {}

before(async () => {
  mkdirSync(join(context, 'b'), { recursive: true })
  mkdirSync(join(folder, 'node_modules'))
  mkdirSync(join(folder, 'tools'))
  symlinkSync(top, join(folder, 'node_modules/builder-sdk'))
  symlinkSync(join(top, 'bin/builder'), join(folder, 'tools/builder'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(context, 'a'), 'file a\n', { mode: 0o644 })
  writeFileSync(join(context, 'b/c'), 'file c\n', { mode: 0o600 })
  await command(['tar', '-cf', join(context, 'd.tar'), '--mtime=@0', '-C', context, 'a'])
  writeFileSync(join(context, '.containerignore'), 'ignored\n')
  writeFileSync(join(context, 'ignored'), `${Math.random()}`)
  for (const name of ['a', 'b/c', 'b', 'd.tar', '.containerignore', '.']) utimesSync(join(context, name), 1e9, 1e9)
  copyFileSync('/bin/busybox', join(folder, 'busybox'))
  const base = `FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\nENV PATH=/bin\n`
  writeFileSync(file('base'), base)
  const { code, stderr } = await run(['build', '-q', '-t', 'busybox', '-f', file('base'), folder])
  assert.equal(code, 0, stderr)
  for (const [name, text] of Object.entries(corpus)) writeFileSync(file(name), text)
})

const run = (words: readonly string[]) => builder(words, { store, env, cwd: context })

/** One session for all: a command line for each file, which prints an image's ID. */
async function inOneSession(line: string): Promise<Record<string, string>> {
  const script = `for f in ${Object.keys(corpus).join(' ')}; do echo "$f $(${line})"; done`
  const { stdout, stderr } = await builder(['unshare', 'bash', '-c', script], { store, env, cwd: context })
  const found = Object.fromEntries(
    stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.split(' ', 2) as [string, string]),
  )
  for (const name of Object.keys(corpus)) assert.match(found[name] ?? '', /^[0-9a-f]{64}$/, `${name}: ${stderr}`)
  return found
}

async function convertAll(end: 'sh' | 'ts'): Promise<void> {
  for (const name of Object.keys(corpus)) {
    const { stderr } = await run(['convert', '--contextdir', context, '-o', file(name, end), file(name)])
    assert.equal(stderr, '')
  }
}

describe('a recipe gives the image that the Containerfile gives', () => {
  test('built', async (t) => {
    if (!needs(t, 'busybox')) return
    built = await inOneSession(`'${top}/bin/builder' build -q -f '${folder}'/$f.Containerfile .`)
  })
  test('as a bash script', async (t) => {
    if (!needs(t, 'busybox')) return
    await convertAll('sh')
    assert.equal(statSync(file('scratch', 'sh')).mode & 0o777, 0o755)
    assert.deepEqual(await inOneSession(`PATH="${folder}/tools:$PATH" '${folder}'/$f.sh`), built)
  })
  test('as a TypeScript module', async (t) => {
    if (!needs(t, 'busybox')) return
    await convertAll('ts')
    const all = Object.keys(corpus).map((name) => `await import('./${name}.ts')\n`)
    writeFileSync(join(folder, 'all.ts'), all.join(''))
    const ran = await command([join(top, 'node_modules/.bin/tsx'), join(folder, 'all.ts')], { env, cwd: context })
    assert.equal(ran.code, 0, ran.stderr)
    const found = ran.stdout.trim().split('\n')
    assert.deepEqual(Object.fromEntries(Object.keys(corpus).map((name, i) => [name, found[i]])), built)
    assert.equal((await run(['containers', '-q'])).stdout, '')
  })
})

test('a value of an ARG is a variable of the environment', async (t) => {
  if (!needs(t, 'busybox')) return
  const values = { VERSION: '2 "x" $y', UNSET: 'set' }
  const given = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
  const one = await run(['build', '-q', ...given, '-f', file('arguments'), '.'])
  const script = ['unshare', 'bash', file('arguments', 'sh')]
  const PATH = `${join(folder, 'tools')}:${process.env.PATH}`
  const other = await builder(script, { store, env: { ...env, ...values, PATH }, cwd: context })
  assert.equal(other.stdout, one.stdout, other.stderr + one.stderr)
})

test('comments stay where they stand, and there is one verb a line', async (_t) => {
  const { stdout } = await run(['convert', file('multistage')])
  assert.match(
    stdout,
    /\n# base\nbase=\$\(builder from --layers --history busybox\)\n# every stage has this\nbuilder config --env GREETING=hello --env "PATH=\/opt:\\\$PATH" "\$base"\n/,
  )
  assert.match(stdout, /\n# in the middle\nbuilder run "\$stage2" -- \/bin\/sh -c /)
  assert.doesNotMatch(stdout, /unused/)
})

test('shellcheck has nothing to say of the scripts, but that an ARG is not used', async (t) => {
  if (!needs(t, 'shellcheck')) return
  const scripts = Object.keys(corpus).map((name) => file(name, 'sh'))
  const { stdout } = await command(['shellcheck', '--severity=warning', '--exclude=SC2034', ...scripts])
  assert.equal(stdout, '')
})

describe('what cannot be converted is an error with its place', () => {
  for (const [what, [text, says]] of Object.entries(refused))
    test(what, async () => {
      const name = `refused-${what.replaceAll(' ', '-')}`
      writeFileSync(file(name), text)
      const { stderr, stdout, code } = await run(['convert', file(name)])
      assert.deepEqual([code, stdout], [125, ''])
      assert.match(stderr, says)
    })
  test('no such file', async () => {
    const { stderr } = await run(['convert', 'nothing'])
    assert.equal(stderr, 'builder: convert nothing: there is no such file; name a Containerfile\n')
  })
  test('no text', async () => {
    writeFileSync(file('binary'), Buffer.from([0xff, 0xfe]))
    assert.match((await run(['convert', file('binary')])).stderr, /binary\S*: it is not text in UTF-8\n$/)
  })
})

test('a base image that has triggers is an error when the recipe runs', async (t) => {
  if (!needs(t, 'busybox')) return
  writeFileSync(file('trigger'), 'FROM scratch\nONBUILD RUN x\n')
  assert.equal((await run(['build', '-q', '-t', 'trigger', '-f', file('trigger'), '.'])).code, 0)
  const { stderr, code } = await run(['from', '--layers', '--history', 'trigger'])
  assert.equal(code, 125)
  assert.equal(
    stderr,
    'builder: from --history trigger: the image has what a build carries out first: ONBUILD RUN x; build the Containerfile with builder build, or leave --history out\n',
  )
})

test('a file that ends in .in is preprocessed', async () => {
  writeFileSync(join(folder, 'common'), 'ENV COMMON=yes\n')
  writeFileSync(join(folder, 'x.in'), 'FROM scratch\n#define NAME web\nLABEL name=NAME\n#include "common"\n')
  const { stdout, stderr } = await run(['convert', join(folder, 'x.in')])
  assert.match(stdout, /--label name=web[\s\S]*--env COMMON=yes/, stderr)
})

test('the TypeScript module has a variable for an ARG', (_t) => {
  assert.match(readFileSync(file('arguments', 'ts'), 'utf8'), /^const VERSION = process\.env\.VERSION \?\? '1\.2\.3'$/m)
})
