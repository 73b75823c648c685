import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { type Caller, caller, onBehalfOf } from '../../sdk/namespace/caller.js'
import type { ProgressEvent } from '../../sdk/verbs/progress/event.js'
import { plainDisplay } from '../../sdk/verbs/progress/plain.js'
import { type ProgressOptions, showProgress } from '../../sdk/verbs/progress/progress.js'
import { cut, formatTime, leftText, titleOf } from '../../sdk/verbs/progress/text.js'
import { builder, command, tempDir, top } from '../lane.js'
import { refuses, said } from './cases.js'

const folder = tempDir({ after })
const layout = join(folder, 'layout')

before(async () => {
  const c = await said('from', 'scratch')
  writeFileSync(join(folder, 'content'), randomBytes(3_000_000))
  await said('copy', c, join(folder, 'content'), '/content')
  await said('commit', '--rm', c, 'image')
  await said('push', 'image', `oci:${layout}:image`)
})

const digest = `sha256:${'0123456789ab'.padEnd(64, 'f')}` as const

/** What somebody is told. */
function listener(columns?: number, rows = 24): { readonly here: Caller; readonly told: string[] } {
  const told: string[] = []
  return {
    here: {
      say: (text) => void told.push(text.replaceAll('\u001b', '^')),
      stdin: () => new PassThrough(),
      columns,
      rows,
    },
    told,
  }
}

/** What a verb that moves one layer tells. */
async function toldOf(options: ProgressOptions, columns?: number): Promise<string> {
  const { here, told } = listener(columns)
  await onBehalfOf(here, async () => {
    await using progress = showProgress(options, 'pull')
    for (const [state, bytes] of [
      ['waiting', 0],
      ['copying', 0],
      ['copying', 7],
      ['finishing', 9],
      ['done', 9],
    ] as const)
      progress.onProgress({ digest, kind: 'layer', bytes, total: 9, state })
  })
  return told.join('')
}

describe('who is shown what', () => {
  const plain = 'pull: layer 0123456789ab: copying 9 B\npull: layer 0123456789ab: done, 9 B in 0.1 s\n'
  const isPlain = (text: string) => assert.ok(text.startsWith(plain), text)
  const isTerminal = (text: string) => assert.match(text, /^layer 0123456789ab {3}9 B in 0\.1 s\^\[K\n/)
  const isNothing = (text: string) => assert.equal(text, '')
  const rows: readonly (readonly [ProgressOptions, number | undefined, (text: string) => void])[] = [
    [{}, undefined, isPlain],
    [{}, 80, isTerminal],
    [{ progress: 'auto' }, 80, isTerminal],
    [{ progress: 'auto', onProgress() {} }, 80, isTerminal],
    [{ progress: 'plain' }, 80, isPlain],
    [{ progress: 'tty' }, undefined, isTerminal],
    [{ progress: 'none' }, 80, isNothing],
    [{ quiet: true }, 80, isNothing],
    [{ quiet: true, progress: 'json' }, undefined, isNothing],
    [{ onProgress() {} }, 80, isNothing],
  ]
  for (const [options, columns, check] of rows)
    test(`${Object.keys(options)} ${options.progress ?? ''} on ${columns ? 'a terminal' : 'a pipe'}`, async (_t) => {
      check(await toldOf(options, columns))
    })
})

test('json is one event a line, the same that a script gets', async (_t) => {
  const events: ProgressEvent[] = []
  const text = await toldOf({ progress: 'json', onProgress: (event) => events.push(event) })
  const lines = text.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    events,
  )
  const first = { operation: 'pull', name: digest, kind: 'layer', bytes: 0, total: 9, state: 'waiting' }
  assert.deepEqual(events[0], first)
  assert.deepEqual(
    events.map(({ state, bytes }) => `${state} ${bytes}`),
    ['waiting 0', 'copying 0', 'finishing 9', 'done 9'],
  )
})

test('bytes are told ten times a second, however often they come', async (_t) => {
  const events: ProgressEvent[] = []
  await using progress = showProgress({ onProgress: (event) => events.push(event) }, 'pull')
  const began = performance.now()
  for (let bytes = 0; bytes < 100_000; bytes++)
    progress.onProgress({ digest, kind: 'layer', bytes, total: 1e6, state: 'copying' })
  const seconds = (performance.now() - began) / 1000
  assert.ok(events.length <= 1 + seconds * 10, `${events.length} in ${seconds} s`)
})

test('what takes less than it may is not shown, and what takes longer is shown from its beginning', async (_t) => {
  const { here, told } = listener()
  await onBehalfOf(here, async () => {
    await using progress = showProgress({}, 'commit', { after: 150 })
    progress.note({ name: 'one', kind: 'layer', bytes: 5, state: 'packing' })
    progress.note({ name: 'one', kind: 'layer', bytes: 7, state: 'done' })
    assert.deepEqual(told, [])
    await new Promise((resolve) => setTimeout(resolve, 200))
    progress.note({ name: 'two', kind: 'layer', bytes: 9, state: 'packing' })
  })
  assert.equal(told[0], 'commit: layer one: packing\n')
})

test('a layer that takes minutes is a line every five seconds', (_t) => {
  const { here, told } = listener()
  const display = plainDisplay(here, 'pull')
  const blob = { operation: 'pull', name: digest, kind: 'layer', total: 600_000_000 } as const
  for (let second = 0; second <= 12; second += 0.25)
    display.note({ ...blob, bytes: second * 10_000_000, state: 'copying' }, second * 1000)
  display.note({ ...blob, bytes: 600_000_000, state: 'done' }, 60_000)
  assert.deepEqual(told, [
    'pull: layer 0123456789ab: copying 600 MB\n',
    'pull: layer 0123456789ab: 50 MB of 600 MB, 10 MB/s, 55 s left\n',
    'pull: layer 0123456789ab: 100 MB of 600 MB, 10 MB/s, 50 s left\n',
    'pull: layer 0123456789ab: done, 600 MB in 1 min 0 s\n',
  ])
})

test('what is tried again is said at once, with its reason', async (_t) => {
  const { here, told } = listener()
  const display = plainDisplay(here, 'pull')
  const blob = { operation: 'pull', name: digest, kind: 'layer', bytes: 7, total: 9 } as const
  display.note({ ...blob, state: 'copying' }, 0)
  display.note({ ...blob, state: 'retrying', retry: { reason: 'host: \u001b it was cut', seconds: 3 } }, 100)
  assert.equal(told[1], 'pull: layer 0123456789ab: 7 B of 9 B, retrying in 3 s: host: \\u{1b} it was cut\n')
})

test('what others say on a terminal stands above the lines that are redrawn', async (_t) => {
  const { here, told } = listener(80)
  await onBehalfOf(here, async () => {
    await using progress = showProgress({}, 'pull')
    await using other = showProgress({}, 'push')
    for (const [one, name] of [
      [progress, 'a'],
      [other, 'b'],
    ] as const)
      one.note({ name, kind: 'layer', bytes: 5, total: 10, state: 'copying' })
    await new Promise((resolve) => setTimeout(resolve, 250))
    told.length = 0
    caller().say('builder: waiting\n')
    assert.match(told.join(''), /^\r\^\[2Abuilder: waiting\^\[K\nlayer a .*\^\[K\nlayer b .*\^\[K\n\^\[J$/)
  })
  told.length = 0
  await onBehalfOf(here, async () => caller().say('after'))
  assert.deepEqual(told, ['after'])
})

describe('times', () => {
  for (const [seconds, text] of [
    [0, '0.1 s'],
    [0.44, '0.4 s'],
    [9.96, '10 s'],
    [59.6, '1 min 0 s'],
    [125, '2 min 5 s'],
    [3780, '1 h 3 min'],
  ] as const)
    test(text, (_t) => assert.equal(formatTime(seconds), text))
  test('nothing is said of what stands still or has no size', (_t) => {
    assert.equal(leftText({ bytes: 5, total: 10 }, 0), '')
    assert.equal(leftText({ bytes: 5 }, 10), '')
  })
})

describe('names and lines', () => {
  test('a name cannot speak to the terminal', (_t) => {
    assert.equal(
      titleOf({ kind: 'layer', name: 'a\u001b[2Jb\n\u202ec\u009bd' }),
      'layer a\\u{1b}[2Jb\\u{a}\\u{202e}c\\u{9b}d',
    )
  })
  for (const [line, columns, shown] of [
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc'],
    ['図図図', 5, '図図'],
    ['e\u0301e\u0301x', 2, 'e\u0301e\u0301'],
  ] as const)
    test(`${line} in ${columns} columns`, (_t) => assert.equal(cut(line, columns), shown))
})

describe('the command line', () => {
  test('without a terminal lines are plain, and standard output has the ID alone', async (_t) => {
    const { stdout, stderr, code } = await builder(['pull', `oci:${layout}`], { store: join(folder, 'plain') })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^[0-9a-f]{64}\n$/)
    assert.match(stderr, /^pull: config [0-9a-f]{12}: copying \d+ B\n/)
    assert.match(stderr, /\npull: layer [0-9a-f]{12}: done, [\d.]+ MB in [\d.]+ s\npull: 1 layer, [\d.]+ MB in .*\n$/)
  })
  test('what is there already is said to be', async (_t) => {
    const { stderr } = await builder(['pull', `oci:${layout}`], { store: join(folder, 'plain') })
    assert.match(stderr, /: there already\npull: 1 layer, all there already\n$/)
  })
  test('json', async (_t) => {
    const { stderr } = await builder(['push', '--progress=json', 'image', `dir:${join(folder, 'dir')}`])
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ProgressEvent)
    assert.deepEqual(new Set(events.map(({ state }) => state)), new Set(['waiting', 'copying', 'finishing', 'done']))
  })
  for (const flag of ['-q', '--progress=none'])
    test(`nothing with ${flag}`, async (_t) => {
      const { stderr } = await builder(['push', flag, 'image', `dir:${join(folder, `dir${flag}`)}`])
      assert.equal(stderr, '')
    })
  test('a reader that goes away stops nothing', async (_t) => {
    const to = join(folder, 'unread')
    const places = ['--root', join(folder, 'deaf'), '--runroot', join(folder, 'deaf-run')]
    const argv = [join(top, 'bin/builder'), ...places, 'pull', `oci:${layout}`]
    await command(['sh', '-c', '{ sleep 0.2; "$@" >"$0"; echo "exit $?" >>"$0"; } 2>&1 | true', to, ...argv])
    assert.match(readFileSync(to, 'utf8'), /^[0-9a-f]{64}\nexit 0\n$/)
  })
  test('a commit that is quick says nothing', async (_t) => {
    const { stderr } = await builder(['commit', await said('from', 'scratch')])
    assert.equal(stderr, '')
  })
  refuses([[['pull', '--progress=fancy', 'oci:/x'], /--progress.*fancy.*not one of auto, plain, tty, json, none/]])
})
