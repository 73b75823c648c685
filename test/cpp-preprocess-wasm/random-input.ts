/** Texts that look like what a preprocessor reads, the same for the same seed. */
export function randomInputs(seed: number, count: number): readonly string[] {
  const random = new Random(seed)
  return Array.from({ length: count }, () => textOf(random))
}

/** Numbers that a seed decides. Source: Numerical Recipes, "An Even Quicker Generator". */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  below(end: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#state / 0x100000000) * end)
  }

  of<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)] as Value
  }
}

function textOf(random: Random): string {
  return Array.from({ length: 1 + random.below(10) }, () => line(random) + random.of(ends)).join('')
}

const ends = ['\n', '\n', '\n', '\n\n', '\n\n\n\n\n\n\n\n\n\n', '\r\n']

function line(random: Random): string {
  const kind = random.below(lines.length + 6)
  const pattern = lines[kind] ?? 'TTTT'
  return pattern.replace(/[TIE]/g, (mark) =>
    mark === 'T' ? some(random) : mark === 'I' ? random.of(names) : expression(random, 0),
  )
}

const lines = [
  '#define I TTT',
  '#define f(a,b) TaTbT',
  '#define g(x) T"x"Tx',
  '#define h() TT',
  '#undef I',
  '#if E',
  '#elif E',
  '#ifdef I',
  '#ifndef I',
  '#else',
  '#endif',
  '#endif',
  '#include "a.h"',
  '#include "guarded.h"',
  '#include "once.h"',
  '# TT',
  '#warning TT',
  'f(T,T)T',
  '',
]

const names = ['A', 'B', 'f', 'g', 'h', 'x', 'foo', '_z', '__LINE__', '__FILE__', '__COUNTER__', 'FROM_A', 'a', 'b']

function some(random: Random): string {
  const length = 1 + random.below(4)
  return Array.from({ length }, () => (random.below(3) === 0 ? random.of(names) : random.of(pieces))).join('')
}

const pieces = [
  ...[
    ' ',
    ' ',
    '(',
    ')',
    ',',
    'f(1,2)',
    'g(x)',
    'h()',
    '"',
    "'",
    '\\',
    '/*',
    '*/',
    '/',
    '*',
    '1',
    '$',
    '\t',
    '\\\n',
    '.',
  ],
  ...[
    '"s A"',
    "'c'",
    '/* c */',
    '/* c\n d */',
    'g("a\\"b")',
    'g(a"b\\n")',
    'é',
    '-',
    '<<',
    'EOF',
    '$\x7bA}',
    '$B',
    'RUN ',
    '\\ \n',
  ],
]

function expression(random: Random, depth: number): string {
  if (depth > 2 || random.below(3) === 0) return random.of(values)
  const kind = random.below(4)
  if (kind === 0) return `(${expression(random, depth + 1)})`
  if (kind === 1) return random.of(['!', '-', '~']) + expression(random, depth + 1)
  const [left, right] = [expression(random, depth + 1), expression(random, depth + 1)]
  return kind === 2 ? `${left} ${random.of(operators)} ${right}` : `${left} ? ${right} : ${left}`
}

const values = ['0', '1', '2', '7u', '0x1F', '010', 'A', 'B', 'defined A', 'defined(B)', "'a'", '-1', '1L', 'x']
const operators = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '<<',
  '>>',
  '<',
  '>',
  '<=',
  '>=',
  '==',
  '!=',
  '&',
  '|',
  '^',
  '&&',
  '||',
  ',',
]
