// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are a Containerfile's variables
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { expandWord, expandWords } from '../../sdk/containerfile/expand.js'
import { formatWarnings, lint } from '../../sdk/containerfile/lint.js'
import { parseContainerfile, parseTrigger } from '../../sdk/containerfile/parse.js'
import { plainSource } from '../../sdk/containerfile/source-text.js'
import type { Position } from '../../sdk/containerfile/syntax.js'
import { BuilderError } from '../../sdk/errors.js'
import { parseIgnore } from '../../sdk/layer/ignore.js'

/** The same numbers in every run: what fails once can be looked at. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const pieces = [
  ...[
    'FROM',
    'ARG',
    'RUN',
    'COPY',
    'ADD',
    'ENV',
    'LABEL',
    'CMD',
    'ENTRYPOINT',
    'SHELL',
    'HEALTHCHECK',
    'EXPOSE',
    'VOLUME',
  ],
  ...[
    'USER',
    'WORKDIR',
    'STOPSIGNAL',
    'MAINTAINER',
    'ONBUILD',
    'from',
    'CPOY',
    'AS',
    'NONE',
    'scratch',
    'a',
    'b:1',
    '/x',
    '.',
  ],
  ...[
    '\n',
    '\n',
    '\n',
    '\r\n',
    ' ',
    ' ',
    '\t',
    '\\',
    '\\\n',
    ' \\ \n',
    '`',
    '`\n',
    '#',
    '# ',
    '# escape=`\n',
    '# syntax=x\n',
  ],
  ...['# check=skip=all\n', '# check=', '\uFEFF', '\u0000', '\u001b', '\u2028', '\ud800', '日本', '🖖', 'é'],
  ...['--from=', '--mount=type=cache,', '--link', '--chown=', '--exclude=', '--interval=', '--platform=', '--', '--x'],
  ...[
    '<<EOF',
    '<<-EOF',
    "<<'EOF'",
    '<<"E',
    '3<<A',
    '<<',
    '<<<',
    '\nEOF\n',
    '\n\tEOF\n',
    '\nA\n',
    '"',
    "'",
    '["a"',
    ', ',
    ']',
    '[]',
  ],
  ...[
    '$A',
    '${A}',
    '${',
    '}',
    '${A:-',
    '${A#*',
    '${A//',
    '/',
    ':+',
    ':?',
    '*',
    '?',
    '=',
    'A=',
    '=b',
    '80/TCP',
    '30s',
    '{',
    '[',
    '!',
  ],
]

function soup(random: (below: number) => number, most: number): string {
  return Array.from({ length: random(most) }, () => pieces[random(pieces.length)]).join('')
}

const lines = [
  ...[
    'ARG A=1',
    'FROM a AS b',
    'RUN echo $A',
    'RUN --mount=type=cache,target=/c x',
    'COPY --from=b a /x',
    'ADD https://a /',
  ],
  ...[
    'ENV a=b c="d e"',
    'ENV a b',
    'LABEL "a b"=c',
    'CMD ["a"]',
    'SHELL ["a"]',
    'HEALTHCHECK --interval=5s CMD a',
    'USER $A',
  ],
  ...[
    'EXPOSE 80/tcp',
    'VOLUME /v',
    'WORKDIR /w',
    'ONBUILD RUN a',
    '# a',
    'RUN a \\',
    'RUN <<EOF',
    'EOF',
    '',
    'COPY <<A /x',
    'A',
  ],
]

/** Lines that are right, and now and then something in or behind them that may not be. */
function almostRight(random: (below: number) => number): string {
  const some = Array.from({ length: random(12) }, () => {
    const line = lines[random(lines.length)] ?? ''
    const at = random(line.length + 1)
    return random(8) > 0 ? line : line.slice(0, at) + soup(random, 4) + line.slice(at)
  })
  return `FROM a\n${some.join('\n')}`
}

/** Gives what a call gives, undefined for what it refuses as it should; anything else that is thrown is a bug. */
function refusing<Value>(input: string, call: () => Value): Value | undefined {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof BuilderError))
      throw new Error(`not refused well: ${JSON.stringify(input)}`, { cause: error })
    assert.equal(error.code, 'INVALID')
    assert.ok(error.message.length < 4000, input)
    assert.doesNotMatch(error.message, /(?!\n)\p{Cc}/u)
    return undefined
  }
}

function inRange(text: string, { line, column, text: shown }: Position): void {
  const lines = text.split('\n')
  assert.ok(line >= 1 && line <= lines.length, `line ${line}: ${JSON.stringify(text)}`)
  assert.equal(shown, lines[line - 1]?.replace(/\r$/, ''))
  assert.ok(
    column === undefined || (column >= 1 && column <= shown.length + 1),
    `column ${column}: ${JSON.stringify(text)}`,
  )
}

describe('whatever is read, it ends, and in nothing but a clear refusal', () => {
  it('a Containerfile', () => {
    const random = numbers(1)
    let parsed = 0
    for (let n = 0; n < 3000; n++) {
      const text = (n % 3 === 0 ? soup(random, 40) : almostRight(random)).replace(/^\uFEFF+/, '')
      const source = plainSource(text, 'Containerfile')
      const positionOf = (line: number, column?: number) => {
        const position = source.positionOf(line, column)
        inRange(text, position)
        return position
      }
      const file = refusing(text, () => parseContainerfile({ ...source, positionOf }))
      if (!file) continue
      parsed++
      const warnings = refusing(text, () => lint(file, { ignoreRules: parseIgnore('a'), strict: true })) ?? []
      assert.doesNotMatch(formatWarnings(warnings), /(?!\n)\p{Cc}/u)
    }
    assert.ok(parsed > 500, `only ${parsed} were Containerfiles`)
  })

  it('a word', () => {
    const random = numbers(2)
    const lookup = (name: string) => (name === 'A' ? 'a*a\n*b' : undefined)
    for (let n = 0; n < 4000; n++) {
      const text = soup(random, 12)
      const word = refusing(text, () => expandWord(text, lookup, { escape: n % 2 ? '\\' : '`', quotes: n % 3 > 0 }))
      const words = refusing(text, () => expandWords(text, lookup, { escape: n % 2 ? '\\' : '`' }))
      if (word !== undefined && words !== undefined && n % 3 > 0)
        assert.equal(words.join('').length <= word.length, true, text)
    }
  })

  it('a trigger', () => {
    const random = numbers(3)
    for (let n = 0; n < 1000; n++) {
      const text = soup(random, 12)
      refusing(text, () => parseTrigger(text, 'base'))
    }
  })

  it('an ignore file', () => {
    const random = numbers(4)
    const parts = [
      '*',
      '**',
      '**/',
      '/',
      '?',
      '[',
      ']',
      '[a-',
      '[^',
      '!',
      '\\',
      'a',
      'b',
      '.',
      '..',
      '\n',
      '\r\n',
      '#',
      ' ',
      '🖖',
      '\ud800',
      '-',
      '^',
      '$',
      '(',
    ]
    for (let n = 0; n < 4000; n++) {
      const text = Array.from({ length: random(14) }, () => parts[random(parts.length)]).join('')
      const rules = refusing(text, () => parseIgnore(text))
      for (const path of ['a', 'a/b', 'b.a/🖖/b', '[', '\ud800/a']) {
        const isOut = rules?.ignores(path)
        if (isOut && rules?.mayComeBackIn(path) === false)
          assert.equal(rules.ignores(`${path}/a`), true, JSON.stringify([text, path]))
      }
    }
  })
})
