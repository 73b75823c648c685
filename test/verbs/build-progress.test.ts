import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BuildEvent } from '../../sdk/containerfile/event.js'
import { onBehalfOf } from '../../sdk/namespace/caller.js'
import { OutputLines } from '../../sdk/verbs/build/output.js'
import { type BuildProgressOptions, showBuild } from '../../sdk/verbs/build/progress.js'
import { bad, begin, end, good, listener, out, stageOf } from './build-story.js'

async function toldOf(events: readonly BuildEvent[], options: BuildProgressOptions, columns?: number, rows?: number) {
  const { here, told } = listener(columns, rows)
  await onBehalfOf(here, async () => {
    await using progress = showBuild(options)
    for (const event of events) progress.note(event)
  })
  return told.join('')
}

test('lines in order: stage and step in front, the time of a step at its end', async () => {
  assert.equal(
    await toldOf(good, {}),
    `builder: warning: a\\u{1b}[2J.in:3: the form is obsolete
[base 1/2] FROM debian:12
[base 1/2] CACHED
[docs 1/2] FROM debian:12
[docs 1/2] CACHED
[base 2/2] RUN apt-get update
[docs 2/2] RUN make docs
[docs 2/2]   100%
[docs 2/2]       indented
[base 2/2]   Get:1 http://debian.org
[base 2/2]   Reading
[base 2/2]   no end
[base 2/2] done in 12 s
[docs 2/2] done in 13 s
[web 1/3] FROM base
[web 1/3] done in 0.1 s
[web 2/3] COPY --from=docs /out /srv
[web 2/3] done in 0.1 s
[web 3/3] CMD ["serve"]
[web 3/3] done in 0.1 s
build: image ffffffffffff localhost/web:latest
build: 7 steps, 2 CACHED, in 13 s
`,
  )
})

const block = [
  '[docs 2/2] RUN make docs: exit code 2 after 1 s',
  '  (12 lines before)',
  ...Array.from({ length: 40 }, (_, i) => `  line ${i + 11}`),
  '',
].join('\n')

describe('a step that failed: the end of its output, its command and exit code come last', () => {
  for (const options of [{}, { quiet: true }, { progress: 'none' as const }, { progress: 'tty' as const }])
    test(JSON.stringify(options), async () => {
      const told = await toldOf(bad, options)
      assert.ok(told.endsWith(block), told)
      assert.equal(told.includes('stopped'), !('quiet' in options) && options.progress !== 'none')
    })
  test('not for who has the events', async () => {
    const heard: BuildEvent[] = []
    assert.equal(await toldOf(bad, { onEvent: (event) => heard.push(event) }), '')
    assert.deepEqual(heard, bad)
    const lines = (await toldOf(bad, { progress: 'json' })).trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      bad,
    )
  })
})

test('-q says nothing of what succeeds', async () => {
  assert.equal(await toldOf(good, { quiet: true, progress: 'tty' }, 80), '')
})

/** What is on the screen after the last drawing, styles away; and what was printed for good. */
function rowsOf(told: string): string[] {
  const plain = told.replace(/\^\[(\d+m|K)/g, '')
  return (plain.split(/\r\^\[\d+A(?:\^\[J)?/).at(-1) ?? '').replaceAll('^[J', '').split('\n').filter(Boolean)
}

/** What stands on a terminal while a build goes on. */
async function screenOf(events: readonly BuildEvent[], columns: number, rows: number): Promise<string[]> {
  const { here, told } = listener(columns, rows)
  const shown: string[] = []
  await onBehalfOf(here, async () => {
    await using progress = showBuild({ progress: 'tty' })
    for (const event of events) progress.note(event)
    // A line that stays has all below it drawn anew.
    progress.note({ type: 'warning', time: 0, message: 'drawn' })
    shown.push(...rowsOf(told.join('')))
  })
  return shown
}

/** Times of fixtures are of the past: what is at work has worked for years. */
const withoutTimes = (rows: readonly string[]) => rows.map((row) => row.replace(/ *\d+ (h|min) [\d]+ (min|s)/, 'TIME'))

describe('a terminal', () => {
  test('stages side by side, each with the end of its output', async () => {
    assert.deepEqual(withoutTimes(await screenOf(good.slice(0, 14), 80, 12)), [
      'warning: drawn',
      'TIME  [base 2/2] RUN apt-get update',
      '            Get:1 http://debian.org',
      '            Reading',
      '            no end',
      'TIME  [docs 2/2] RUN make docs',
      '            100%',
      '                indented',
      'build: 2 of 7 steps, 2 CACHED, 2 of 3 stages at work,TIME',
    ])
  })
  test('few rows: less output, then less steps, and never more than there is room for', async () => {
    const small = await screenOf(good.slice(0, 14), 80, 6)
    assert.deepEqual(withoutTimes(small).slice(1), [
      'TIME  [base 2/2] RUN apt-get update',
      '            no end',
      'TIME  [docs 2/2] RUN make docs',
      '                indented',
      'build: 2 of 7 steps, 2 CACHED, 2 of 3 stages at work,TIME',
    ])
    assert.match((await screenOf(good.slice(0, 14), 200, 3)).at(-1) ?? '', /, 1 more at work$/)
    assert.equal((await screenOf(good.slice(0, 14), 200, 1)).length, 2)
  })
  test('few columns: every line in one row', async () => {
    const rows = await screenOf(good.slice(0, 14), 20, 12)
    assert.ok(
      rows.every((row) => row.length <= 19),
      rows.join('\n'),
    )
  })
  test('what is over stays above, with its time or CACHED or FAILED', async () => {
    const told = await toldOf(bad, { progress: 'tty' }, 80, 12)
    assert.match(told, /\^\[36m {4}CACHED\^\[0m {2}\[base 1\/2\] FROM debian:12/)
    assert.match(told, /\^\[31m {4}FAILED\^\[0m {2}\[docs 2\/2\] RUN make docs: exit code 2 after 1 s/)
    assert.match(told, /\^\[33m {3}stopped\^\[0m {2}\[base 2\/2\] RUN apt-get update/)
  })
  test('NO_COLOR', async () => {
    process.env.NO_COLOR = '1'
    try {
      assert.doesNotMatch(await toldOf(bad, { progress: 'tty' }, 80, 12), /\^\[\d+m/)
    } finally {
      delete process.env.NO_COLOR
    }
  })
  test('a thousand steps, and a million lines of one', async () => {
    const ids = Array.from({ length: 1000 }, (_, i) => `s.${i + 1}`)
    const burst = 'x\n'.repeat(10_000)
    const events: BuildEvent[] = [
      {
        type: 'plan',
        time: 0,
        stages: [
          stageOf(
            's',
            ids.map((id) => `RUN ${id}`),
          ),
        ],
      },
      ...ids.flatMap((id) => [begin(0, id), end(1, id, { state: 'hit' })]),
      begin(2, 's.1001'),
      ...Array.from({ length: 100 }, () => out(3, 's.1001', burst)),
    ]
    const told = await toldOf(events, { progress: 'tty' }, 80, 24)
    assert.ok(told.length < 400_000, `${told.length}`)
    assert.match(told, /\[s 1000\/1000\] RUN s\.1000/)
    assert.match(told, /1000 steps, 1000 CACHED/)
  })
})

describe('lines of output', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['a\u001b[1;31mb\u001b[0mc', 'abc'],
    ['\u001b]0;title\u0007x', 'x'],
    ['\u001b]8;;http://x\u001b\\x', 'x'],
    ['1%\r2%\r', '2%'],
    ['bell\u0007 null\0 \u009b2J', 'bell\\u{7} null\\u{0} \\u{9b}2J'],
    ['\u202edesrever', '\\u{202e}desrever'],
    ['\ttab', '    tab'],
    ['日本', '日本'],
  ]
  for (const [text, shown] of rows)
    test(JSON.stringify(text), () => assert.deepEqual(new OutputLines().push(`${text}\n`), [shown]))
  test('a line without an end is kept to a bound', () => {
    const lines = new OutputLines()
    for (let i = 0; i < 100; i++) lines.push('x'.repeat(10_000))
    assert.equal(lines.unfinished.length, 65_536)
  })
})
