// biome-ignore-all lint/suspicious/noTemplateCurlyInString: labels have variables
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BuilderError } from '../../sdk/errors.js'
import { pasteable } from '../../sdk/runlabel/show.js'
import { substitute } from '../../sdk/runlabel/substitute.js'
import { labelLimit, splitLabel } from '../../sdk/runlabel/words.js'
import { command, tempDir } from '../lane.js'

/** Values without blanks: in a shell others would become several words. */
const values = { NAME: 'n-a_m.e', OPT1: undefined, OPT2: 'o=p' }
const pieces = [
  ...["'", '"', '\\', ' ', ' ', '\t', 'a', 'b', '=', '-', '.', '#', '$', '}', '\\\n', 'é'],
  ...[
    '$NAME',
    '${NAME}',
    '$OPT1',
    '${OPT1:-d}',
    '${OPT1-d}',
    '${OPT2:-x}',
    '"$NAME"',
    "'$NAME'",
    '\\$NAME',
    '""',
    "''",
  ],
]

test('what is accepted becomes the words that a real shell makes of it', async (t) => {
  const random = dice(20_261_121)
  const accepted: (readonly [label: string, words: readonly string[]])[] = []
  for (let i = 0; i < 4000; i++) {
    const label = Array.from({ length: 1 + random(14) }, () => pieces[random(pieces.length)]).join('')
    const words = wordsOf(label)
    if (words && words.length > 0) accepted.push([label, words])
  }
  assert.ok(accepted.length > 1000, `${accepted.length}`)
  const file = join(tempDir(t), 'script')
  const lines = accepted.map(([label]) => `printf '%s\\0' ${label}\nprintf '\\036'`)
  writeFileSync(file, ['NAME=n-a_m.e OPT2=o=p', 'unset OPT1', ...lines].join('\n'))
  const { stdout, stderr } = await command(['sh', '-f', file])
  assert.equal(stderr, '')
  const theirs = stdout.split('\x1e').slice(0, -1)
  const wrong = accepted.flatMap(([label, words], i) => {
    const own = theirs[i]?.split('\0').slice(0, -1)
    return JSON.stringify(own) === JSON.stringify(words) ? [] : [{ label, words, own }]
  })
  assert.deepEqual(wrong, [])
})

test('what is displayed becomes the same words again, whatever they hold', async (t) => {
  const random = dice(7)
  const signs = [
    'a',
    ' ',
    "'",
    '"',
    '\\',
    '$',
    '`',
    '\n',
    '\t',
    ';',
    '*',
    '\u202e',
    '\u200b',
    '\x1b',
    'é',
    '😀',
    '~',
    '#',
  ]
  const lists = Array.from({ length: 500 }, () =>
    Array.from({ length: 1 + random(4) }, () =>
      Array.from({ length: random(8) }, () => signs[random(signs.length)]).join(''),
    ),
  )
  const file = join(tempDir(t), 'script')
  writeFileSync(file, lists.map((words) => `printf '%s\\0' ${pasteable(words)}\nprintf '\\036'`).join('\n'))
  const { stdout } = await command(['bash', file], { env: { LC_ALL: 'C.UTF-8' } })
  assert.deepEqual(
    stdout
      .split('\x1e')
      .slice(0, -1)
      .map((text) => text.split('\0').slice(0, -1)),
    lists,
  )
})

test('a label as long as a command line may have is split at once, however it is made', () => {
  for (const piece of ['\\a', '"a"', "'a'", '$NAME', '${NAME}', 'a ', '\t', '"\\""', '${OPT1:-${OPT1:-a}}', '\\\n']) {
    const label = `x ${piece.repeat(Math.floor((labelLimit - 2) / piece.length))}`
    assert.ok((wordsOf(label)?.length ?? 0) > 0, piece)
  }
  for (const label of ['"'.repeat(labelLimit - 1), '${OPT1:-'.repeat(10_000), `x${'\n'.repeat(100_000)}x`])
    assert.equal(wordsOf(label), undefined)
})

/** Undefined for a label that is refused. Anything but a refusal is a fault. */
function wordsOf(label: string): readonly string[] | undefined {
  try {
    return substitute(splitLabel(label), values).map(({ text }) => text)
  } catch (error) {
    assert.ok(error instanceof BuilderError && error.code === 'INVALID', String(error))
    return undefined
  }
}

/** Whole numbers from 0, the same in every run. Source: Marsaglia, Xorshift RNGs. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
