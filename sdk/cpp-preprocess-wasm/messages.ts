/** The word and the sentence of each fault. The numbers are those of source/faults.as; 200 is found out by the host. */
const faults = {
  1: ['include-missing', (what) => `${what} is not found`],
  2: ['include-depth', (what, { depth }) => `includes are nested deeper than ${depth}, here ${what}`],
  3: ['include-form', (what) => `${shown(what)} is no file to include: write #include "FILE" or #include <FILE>`],
  4: ['no-endif', () => 'the conditional that begins here has no #endif'],
  5: ['no-if', (what) => `#${what} without #if`],
  6: ['after-else', (what) => `#${what} after #else`],
  7: ['recursion', (what) => `the macro ${what} expands to itself`],
  8: ['no-call-end', (what) => `the arguments of the macro ${what} have no )`],
  9: ['few-arguments', (what) => countOf(what)],
  10: ['many-arguments', (what) => countOf(what)],
  11: ['macro-name', (what) => `${shown(what)} cannot be the name of a macro`],
  12: ['parameters', (what) => `the parameters of the macro ${what} are no list of different names`],
  13: ['error', (what) => (what === '' ? '#error' : what)],
  14: ['warning', (what) => (what === '' ? '#warning' : what)],
  15: ['no-comment-end', () => 'the comment that begins here has no */'],
  16: ['no-heredoc-end', (what) => `the heredoc <<${what} that begins here has no line ${what} in this file`],
  17: ['redefined', (what) => `the macro ${what} is defined again, as something else`],
  18: ['extra-text', (what) => `${shown(what)} is not part of the directive`],
  19: ['input-limit', (what, { input }) => `with ${what} more than ${input} bytes are to be read`],
  20: ['output-limit', (_, { output }) => `more than ${output} bytes come out`],
  21: [
    'expansion-limit',
    (_, { expansions, output }) =>
      `macros expand without measure: more than ${expansions} times, or to more than ${output} bytes`,
  ],
  22: ['unknown-directive', (what) => `there is no directive #${what}`],
  23: ['reserved-name', (what) => `${what} cannot be defined or undefined`],
  24: ['directive-in-call', (what) => `${what} stands within the arguments of a macro`],
  25: ['condition-depth', () => 'conditionals are nested too deep'],
  26: ['macro-depth', (what) => `macros are nested too deep, here ${what}`],
  27: ['spaced-splice', () => 'blanks stand between the backslash and the end of the line'],
  28: ['line-number', (what) => `${shown(what)} is no line number`],
  29: ['line-file', (what) => `${shown(what)} is no file name`],
  30: ['once-in-main', () => '#pragma once has no effect in a file that is not included'],
  31: ['unsupported', (what) => `${what} is not supported`],
  40: ['no-expression', () => 'the expression is missing'],
  41: ['no-operand', (what) => `${here(what)} a value is missing`],
  42: ['no-close', (what) => `${here(what)} a ) is missing`],
  43: ['no-open', () => 'a ( is missing'],
  44: ['division', () => 'division by zero'],
  45: ['no-operator', (what) => `${here(what)} an operator is missing`],
  46: ['bad-token', (what) => `${shown(what)} is not part of an integer expression`],
  47: ['not-integer', (what) => `${shown(what)} is no integer`],
  48: ['too-large', () => 'the integer is larger than 64 bits'],
  49: ['no-colon', (what) => `${here(what)} the : of ? is missing`],
  50: ['no-defined-name', (what) => `${here(what)} the name that defined asks for is missing`],
  51: ['expression-depth', () => 'the expression is nested too deep'],
  52: ['overflow', () => 'the result is larger than 64 bits'],
  53: ['so-large', () => 'the integer is so large that it has no sign'],
  54: ['bad-character', (what) => `${shown(what)} begins no character constant`],
  55: ['no-question', () => 'a : without ?'],
  200: ['include-cycle', (what) => `files include each other without end: ${what}`],
} as const satisfies Readonly<Record<number, readonly [string, (what: string, limits: Limits) => string]>>

/** What bounds the time and the memory of a run. More than that is an error, with the place where it happened. */
export interface Limits {
  /** How deep files include each other; 200 when absent, as in GNU cpp. */
  readonly depth: number
  /** Bytes of all files, one that is read twice counted twice; 32 MiB when absent. */
  readonly input: number
  /** Bytes that come out, and that macros expand to; 64 MiB when absent. */
  readonly output: number
  /** How often a macro is replaced; 2 million when absent. */
  readonly expansions: number
}

/** What is wrong, as one word a program can compare. The set is closed. */
export type DiagnosticCode = (typeof faults)[keyof typeof faults][0]

/** The word and the sentence for a fault that the module reports. */
export function sentenceOf(number: number, what: string, limits: Limits): { code: DiagnosticCode; message: string } {
  const fault = faults[number as keyof typeof faults]
  return { code: fault[0], message: fault[1](what, limits) }
}

function shown(what: string): string {
  return what === '' ? 'nothing' : what
}

function here(what: string): string {
  return what === '' ? 'at the end' : `at ${what}`
}

/** `name wanted given`. */
function countOf(what: string): string {
  const [name, wanted, given] = what.split(' ')
  return `the macro ${name} has ${wanted} ${wanted === '1' ? 'parameter' : 'parameters'}, and ${given} ${given === '1' ? 'is' : 'are'} given`
}
