import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PreprocessOptions, preprocess } from '../../sdk/cpp-preprocess-wasm/index.js'

/** What a reader sees for each mistake: line, message, and a second place. */
const mistakes: readonly (readonly [text: string, said: string])[] = [
  ['x\n#include "none.in"\n', '2: none.in is not found'],
  ['#include none\n', '1: none is no file to include: write #include "FILE" or #include <FILE>'],
  ['#include ""\n', '1: "" is no file to include: write #include "FILE" or #include <FILE>'],
  ['x\n#if 1\ny\n', '2: the conditional that begins here has no #endif'],
  ['#endif\n', '1: #endif without #if'],
  ['#elifdef X\n', '1: #elifdef without #if'],
  ['#if 1\n#else\n#else\n#endif\n', '3: #else after #else (1)'],
  ['#if 1\n#else\n#elif 1\n#endif\n', '3: #elif after #else (1)'],
  ['#define A A\nRUN A\n', '2: the macro A expands to itself (1)'],
  ['#define A B\n#define B A\nRUN A\n', '3: the macro A expands to itself (1)'],
  ['#define F(x) F(x)\nRUN F(1)\n', '2: the macro F expands to itself (1)'],
  ['#define F(x) x\nRUN F(1\nRUN )\n', '2: the arguments of the macro F have no )'],
  ['#define F(a, b) a\nRUN F(1)\n', '2: the macro F has 2 parameters, and 1 is given (1)'],
  ['#define F(a) a\nRUN F(1, 2)\n', '2: the macro F has 1 parameter, and 2 are given (1)'],
  ['#define F(a, b) a\nRUN F(1, \\\n#if 1\n 2)\n', '2: #if stands within the arguments of a macro'],
  ['#define 1\n', '1: 1 cannot be the name of a macro'],
  ['#define\n', '1: nothing cannot be the name of a macro'],
  ['#define F(a, a) a\n', '1: the parameters of the macro F are no list of different names'],
  ['#define __LINE__ 1\n', '1: __LINE__ cannot be defined or undefined'],
  ['#error no such  thing\n', '1: no such  thing'],
  ['x\n/* a\nb\n', '2: the comment that begins here has no */'],
  ['x\nRUN <<EOF\nb\n', '2: the heredoc <<EOF that begins here has no line EOF in this file'],
  ['#if\n#endif\n', '1: the expression is missing'],
  ['#if 1 +\n#endif\n', '1: at the end a value is missing'],
  ['#if (1\n#endif\n', '1: at the end a ) is missing'],
  ['#if 1)\n#endif\n', '1: a ( is missing'],
  ['#if 1 / 0\n#endif\n', '1: division by zero'],
  ['#if 1 x\n#endif\n', '1: at x an operator is missing'],
  ['#if "a"\n#endif\n', '1: " is not part of an integer expression'],
  ['#if 1.5\n#endif\n', '1: 1.5 is no integer'],
  ['#if 1 ? 2\n#endif\n', '1: at the end the : of ? is missing'],
  ['#if 1 : 2\n#endif\n', '1: a : without ?'],
  ['#if defined\n#endif\n', '1: at the end the name that defined asks for is missing'],
]

for (const [text, said] of mistakes)
  test(`${JSON.stringify(text)} is refused`, () => {
    assert.deepEqual(errorsOf(text), [said])
  })

const doubling = Array.from({ length: 60 }, (_, n) => `#define A${n + 1} A${n} A${n}\n`).join('')
const chain = Array.from({ length: 5000 }, (_, n) => `#define A${n + 1} A${n}\n`).join('')
const longer: PreprocessOptions['include'] = (name) => ({
  file: name,
  text: `#include "${Number.parseInt(name, 10) + 1}.in"\n`,
})

/** What could take all memory or all time, in both modes. */
const bombs: readonly (readonly [title: string, text: string, said: RegExp, options?: PreprocessOptions])[] = [
  ['a macro that doubles', `#define A0 x\n${doubling}RUN A60\n`, /macros expand without measure/],
  ['a macro that doubles nothing', `#define A0\n${doubling}RUN A60\n`, /macros expand without measure/],
  [
    'an argument that doubles',
    `#define F(x) x x\nRUN ${'F('.repeat(60)}x${')'.repeat(60)}\n`,
    /without measure|expands to itself|recursion/,
  ],
  ['macros in macros', `#define A0 x\n${chain}RUN A5000\n`, /macros are nested too deep/],
  [
    '10,000 nested includes',
    '#include "1.in"\n',
    /includes are nested deeper than 200, here 201\.in/,
    { include: longer },
  ],
  [
    'an include cycle',
    '#include "a.in"\n',
    /files include each other without end: a\.in > a\.in/,
    { include: () => ({ file: 'a.in', text: '#include "a.in"\n' }) },
  ],
  [
    'an include that doubles',
    '#include "a.in"\n#include "a.in"\n',
    /files include each other|deeper than 200/,
    { include: () => ({ file: 'a.in', text: '#include "a.in"\n#include "a.in"\n' }) },
  ],
  ['50 MB', 'x'.repeat(50e6), /more than 33554432 bytes are to be read/],
  [
    '50 MB in an include',
    '#include "a.in"\n',
    /with a\.in more than 33554432 bytes/,
    { include: () => ({ file: 'a.in', text: 'x\n'.repeat(25e6) }) },
  ],
  [
    'output without end',
    `#define A ${'x'.repeat(1e5)}\n${'RUN A A A A A A A A A A\n'.repeat(100)}`,
    /bytes come out|without measure/,
  ],
  ['a deep expression', `#if ${'('.repeat(1e6)}\n#endif\n`, /the expression is nested too deep/],
  ['many conditionals', '#if 1\n'.repeat(2e5), /conditionals are nested too deep/],
]

for (const mode of ['containerfile', 'traditional'] as const)
  for (const [title, text, said, options] of bombs)
    test(`${title} ends in an error (${mode})`, () => {
      const { diagnostics } = preprocess(text, { ...options, mode, file: 'main.in' })
      const errors = diagnostics.filter(({ severity }) => severity === 'error')
      assert.match(errors.map(({ message }) => message).join('\n'), said)
      assert.ok(diagnostics.length <= 65)
    })

test('what is larger than the limits works when they are raised', () => {
  const text = `#define A x\n${'RUN A\n'.repeat(1e6)}`
  const limits = { expansions: 1e7, depth: 10_001 }
  assert.equal(preprocess(text, { limits }).text.length, 6e6)
  const include: PreprocessOptions['include'] = (name) =>
    name === '10000.in' ? { file: name, text: 'RUN deep\n' } : longer(name, 'quoted', '')
  const deep = preprocess('#include "1.in"\n', { include, limits })
  assert.equal(deep.text, 'RUN deep\n')
  assert.equal(deep.map.originOf(1).included.length, 10_000)
})

test('a diagnostic has its line and the chain of includes', () => {
  const files: Readonly<Record<string, string>> = { 'a.in': '\n#include "b.in"\n', 'b.in': 'RUN b\n#error no\n' }
  const include = (name: string) => ({ file: name, text: files[name] ?? '' })
  const [said] = preprocess('#include "a.in"\n', { file: 'main.in', include }).diagnostics
  assert.deepEqual(said, {
    severity: 'error',
    code: 'error',
    message: 'no',
    file: 'b.in',
    line: 2,
    text: '#error no',
    included: [
      { file: 'a.in', line: 2 },
      { file: 'main.in', line: 1 },
    ],
  })
})

test('warnings do not stop anything', () => {
  const text = '#warning look\n#define A 1\n#define A 2\n#ifdef A B\n#endif\nRUN A\n'
  const { text: made, diagnostics } = preprocess(text)
  assert.equal(made, 'RUN 2\n')
  assert.deepEqual(
    diagnostics.map(({ severity, code, line }) => [severity, code, line]),
    [
      ['warning', 'warning', 1],
      ['warning', 'redefined', 3],
      ['warning', 'extra-text', 4],
    ],
  )
})

function errorsOf(text: string): readonly string[] {
  const { diagnostics } = preprocess(text, { file: 'main.in' })
  return diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ line, message, related }) => `${line}: ${message}${related ? ` (${related.line})` : ''}`)
}
