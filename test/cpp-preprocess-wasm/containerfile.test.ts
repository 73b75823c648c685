import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IncludeKind, preprocess, preprocessAsync } from '../../sdk/cpp-preprocess-wasm/index.js'

const included: Readonly<Record<string, string>> = {
  'a.in': 'RUN a TAG\n',
  'once.in': '#pragma once\nRUN once\n',
  'no-end.in': 'RUN no end',
  'part.in': '    gcc \\\n',
  'sub/b.in': '#include "c.in"\n',
  'sub/c.in': 'RUN __FILE__ __LINE__\n',
}

interface Case {
  readonly title: string
  readonly text: string
  readonly wanted: string
  readonly defines?: readonly string[]
  readonly undefines?: readonly string[]
}

/** What buildah's way through `cpp -E -traditional` destroys. */
const kept: readonly Case[] = [
  same('a glob behind a slash does not begin a comment', 'RUN rm -rf /var/cache/*\nRUN echo next\n'),
  same('two globs in a line', 'RUN rm -rf /var/cache/*; ls /tmp/*/x\n'),
  same('a glob that begins a continuation line', 'RUN ls \\\n    /*.txt\nRUN next */\n'),
  same(
    'comments',
    '# comment\n#comment\n  # indented\n#!/bin/sh\n# if this\n# define the user\n# include what you need\n',
  ),
  same('parser directives', '# syntax=docker/dockerfile:1\n# check=skip=all\n# escape=\\\nFROM x\n'),
  same('lines with # in a heredoc', 'RUN <<EOF\n#!/bin/sh\n#if 0\n#include <stdio.h>\n# x\n#endif\nEOF\n'),
  same('a comment of C in a heredoc', 'COPY <<EOF /x.c\n/* a\n b */\nint x; /*\nEOF\nRUN x\n'),
  same('a heredoc gets no line markers', 'RUN <<A <<-"B"\n\n\n\n\n\n\n\n\n\nA\n\tB\n'),
  {
    title: '$NAME and $\x7bNAME}',
    text: '#define N web\nRUN echo $N $\x7bN} $\x7bN:-N} $$N "$N" N\n',
    wanted: 'RUN echo $N $\x7bN} $\x7bN:-N} $$N "$N" web\n',
  },
  {
    title: 'an unpaired quote',
    text: "#define N web\nRUN echo don't N\nRUN N\n",
    wanted: "RUN echo don't web\nRUN web\n",
  },
  same('line ends and continuation lines', 'RUN a \\\r\n  && b \\\n  # why\n\n  && c\r\nCMD x'),
  same('an empty file', ''),
  same('backslashes', 'RUN sed "s/\\"/x/" a\\\\ b\\ c \\"d\n'),
]

const meaning: readonly Case[] = [
  { title: 'an object-like macro', text: '#define TAG 12\nFROM debian:TAG\n', wanted: 'FROM debian:12\n' },
  { title: 'words only', text: '#define A x\nRUN A AA _A A1 1A A.A-A/A A\n', wanted: 'RUN x AA _A A1 1A x.x-x/x x\n' },
  { title: 'arguments', text: '#define P(a, b) RUN a -y b\nP(apt, x y)\n', wanted: 'RUN apt -y x y\n' },
  {
    title: 'parentheses and quotes in arguments',
    text: '#define P(a, b) [a|b]\nP((1,2), ",)")\n',
    wanted: '[(1,2)|",)"]\n',
  },
  { title: 'a parameter within quotes', text: '#define L(v) LABEL v="v" $v\nL(a)\n', wanted: 'LABEL a="a" $v\n' },
  { title: 'no macro in quotes', text: '#define A x\nRUN "A" \'A\' ["A"]\n', wanted: 'RUN "A" \'A\' ["A"]\n' },
  { title: 'quotes over lines', text: '#define A x\nRUN "A \\\n A" A\n', wanted: 'RUN "A \\\n A" x\n' },
  { title: 'macros in macros', text: '#define A B c\n#define B b\nRUN A\n', wanted: 'RUN b c\n' },
  { title: 'a macro in its own argument', text: '#define F(x) <x>\nRUN F(F(F(1)))\n', wanted: 'RUN <<<1>>>\n' },
  { title: 'a function without parentheses', text: '#define F(x) x\nRUN F F (1)\n', wanted: 'RUN F 1\n' },
  {
    title: 'a call over lines',
    text: '#define F(a, b) a-b\nRUN F(1, \\\n # note\n 2) \\\n x\n',
    wanted: 'RUN 1-2 \\\n x\n',
  },
  {
    title: 'the rest as one argument',
    text: '#define F(a, ...) a: __VA_ARGS__\nRUN F(1, 2, 3) F(1)\n',
    wanted: 'RUN 1: 2, 3 1: \n',
  },
  { title: 'a definition over lines', text: '#define A a \\\n  b\nRUN A\n', wanted: 'RUN a   b\n' },
  {
    title: 'a glob in a definition',
    text: '#define CLEAN rm -rf /var/cache/*\nRUN CLEAN\n',
    wanted: 'RUN rm -rf /var/cache/*\n',
  },
  { title: '# and ## are nothing special', text: '#define F(a, b) a##b #a\nRUN F(1, 2)\n', wanted: 'RUN 1##2 #1\n' },
  { title: '#undef', text: '#define A x\n#undef A\nRUN A\n', wanted: 'RUN A\n' },
  {
    title: 'the name of a heredoc is no macro',
    text: '#define EOF x\nRUN <<EOF EOF\nEOF\n',
    wanted: 'RUN <<EOF x\nEOF\n',
  },
  {
    title: 'a heredoc that a macro makes',
    text: '#define S RUN <<EOF\nS\n#define B\nEOF\n#define C\n',
    wanted: 'RUN <<EOF\n#define B\nEOF\n',
  },
  { title: 'a heredoc behind ONBUILD', text: 'ONBUILD RUN <<EOF\n#if\nEOF\n', wanted: 'ONBUILD RUN <<EOF\n#if\nEOF\n' },
  { title: 'a heredoc that is left out', text: '#if 0\nRUN <<EOF\n#endif\nEOF\n#endif\nRUN x\n', wanted: 'RUN x\n' },
  {
    title: 'no heredoc',
    text: '#define A x\nRUN echo "<<EOF" A\nRUN cat <<< A\nENV X=<<A\n#define B\n',
    wanted: 'RUN echo "<<EOF" x\nRUN cat <<< x\nENV X=<<A\n',
  },
  {
    title: 'a comment in front of a line',
    text: '/* a\n b */\nFROM x\n  /* c */ RUN y\n/* d */\n\n',
    wanted: 'FROM x\n RUN y\n\n',
  },
  {
    title: '#if within an instruction',
    text: 'RUN a \\\n#ifdef D\n  b \\\n#else\n  c \\\n#endif\n  d\n',
    wanted: 'RUN a \\\n  c \\\n  d\n',
  },
  {
    title: 'an include within an instruction',
    text: 'RUN a \\\n  #include "part.in"\n  d\n',
    wanted: 'RUN a \\\n    gcc \\\n  d\n',
  },
  {
    title: '#elif',
    text: '#if V < 2\na\n#elif V == 2 && defined(V)\nb\n#else\nc\n#endif\n',
    wanted: 'b\n',
    defines: ['V=2'],
  },
  {
    title: '#elifdef and #elifndef',
    text: '#ifdef A\n#elifdef B\nb\n#endif\n#ifdef A\n#elifndef A\nc\n#endif\n',
    wanted: 'b\nc\n',
    defines: ['B'],
  },
  { title: 'a macro in #if', text: '#define V(x) x*100\n#if V(3) > 200\nyes\n#endif\n', wanted: 'yes\n' },
  { title: 'comments behind directives', text: '#if 1 /* a */\nx\n#else /* b */\n#endif /* c */\n', wanted: 'x\n' },
  {
    title: '-D and -U',
    text: 'A B C F(2)\n',
    wanted: '1 x C <2>\n',
    defines: ['A', 'B=x', 'C=y', 'F(a)=<a>'],
    undefines: ['C'],
  },
  {
    title: '__LINE__, __FILE__, __COUNTER__',
    text: '\nRUN __LINE__ __FILE__ __COUNTER__ __COUNTER__\n',
    wanted: '\nRUN 2 "main.in" 0 1\n',
  },
  { title: 'includes', text: '#define TAG 1\n#include "a.in"\n#include <a.in>\nx\n', wanted: 'RUN a 1\nRUN a 1\nx\n' },
  { title: 'an include that a macro names', text: '#define WHICH "a.in"\n#include WHICH\n', wanted: 'RUN a TAG\n' },
  { title: 'an include without a last newline', text: '#include "no-end.in"\nx\n', wanted: 'RUN no end\nx\n' },
  { title: '#pragma once', text: '#include "once.in"\n#include "once.in"\nx\n', wanted: 'RUN once\nx\n' },
  { title: 'includes of an include', text: '#include "sub/b.in"\n', wanted: 'RUN "sub/c.in" 1\n' },
  {
    title: 'parser directives stay on top',
    text: '#define A `\n# escape=`\nRUN A `\n  # x\n  y\\\nRUN z\n',
    wanted: '# escape=`\nRUN ` `\n  # x\n  y\\\nRUN z\n',
  },
  { title: 'a byte order mark goes', text: '\uFEFF#define A x\nRUN A\n', wanted: 'RUN x\n' },
]

for (const { title, text, wanted, defines = [], undefines = [] } of [...kept, ...meaning])
  test(title, () => {
    const { text: made, diagnostics } = preprocess(text, { file: 'main.in', include, defines, undefines })
    assert.deepEqual(diagnostics, [])
    assert.equal(made, wanted)
  })

test('every line knows where it was written', () => {
  const text = '#define A x\nRUN 1\n#include "sub/b.in"\n\nRUN <<E\nb\nE\n'
  const { map, files } = preprocess(text, { file: 'main.in', include })
  const places = Array.from({ length: map.lines }, (_, n) => map.originOf(n + 1))
  const main = (line: number) => ({ file: 'main.in', line, included: [] })
  const chain = [
    { file: 'sub/b.in', line: 1 },
    { file: 'main.in', line: 3 },
  ]
  const c = { file: 'sub/c.in', line: 1, included: chain }
  assert.deepEqual(places, [main(2), c, main(4), main(5), main(6), main(7)])
  assert.deepEqual(files, ['main.in', 'sub/b.in', 'sub/c.in'])
  assert.deepEqual(map.parts, [
    { first: 1, ...main(2) },
    { first: 2, ...c },
    { first: 3, ...main(4) },
  ])
})

test('an include may take its time', async () => {
  const text = '#include "later.in"\n'
  const found = { file: 'later.in', text: 'RUN later\n' }
  const result = await preprocessAsync(text, {
    include: (name) => Promise.resolve(name === 'later.in' ? found : undefined),
  })
  assert.equal(result.text, 'RUN later\n')
})

const include = (name: string, _kind: IncludeKind, from: string) => {
  const path = from.includes('/') ? `${from.slice(0, from.lastIndexOf('/') + 1)}${name}` : name
  const text = included[path]
  return text === undefined ? undefined : { file: path, text }
}

function same(title: string, text: string): Case {
  return { title, text, wanted: text }
}
