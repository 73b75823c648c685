/** Integer expressions of `#if`, in 64 bits. C17, 6.10.1: every name that is left is 0. */
import { inWord, isDigit, skipBlanks, startsWord, wordEnd } from './characters'
import {
  BAD_TOKEN,
  DIVISION,
  ERROR,
  EXPRESSION_DEPTH,
  NO_CLOSE,
  NO_COLON,
  NO_DEFINED_NAME,
  NO_EXPRESSION,
  NO_OPEN,
  NO_OPERAND,
  NO_OPERATOR,
  NO_QUESTION,
  OVERFLOW,
  report,
  WARNING,
} from './faults'
import { lookUp } from './macros'
import { isUnsignedNumber, readCharacter, readNumber } from './number'

const DEEPEST: u32 = 200
const COMMA_RANK: u32 = 1
const QUESTION_RANK: u32 = 2
const LAST_RANK: u32 = 12

let cur: usize = 0
let end: usize = 0
let failed: bool = false
let depth: u32 = 0
/** In an operand that decides nothing: it must be well formed, and may divide by zero. */
let quiet: u32 = 0
/** The type of the last value. */
let isUnsigned: bool = false
/** The operator that was read last: its characters, the first lowest. */
let operator: u32 = 0

/** True when the expression is not 0. Says what is wrong, and is then false. */
export function evaluate(from: usize, to: usize): bool {
  cur = from
  end = to
  failed = false
  depth = 0
  quiet = 0
  skipSpace()
  if (cur >= end) {
    report(ERROR, NO_EXPRESSION)
    return false
  }
  const value = binary(COMMA_RANK)
  if (!failed && cur < end) unexpected()
  return !failed && value != 0
}

/** Says where an expression that stood for a value is not one. */
function unexpected(): void {
  const c = load<u8>(cur)
  fail(c == 0x29 ? NO_OPEN : c == 0x3a ? NO_QUESTION : NO_OPERATOR)
}

function fail(code: u32): i64 {
  let to = cur
  if (to < end && inWord(load<u8>(to))) to = wordEnd(to, end)
  else if (to < end) to++
  return failAt(code, to)
}

/** What is wrong goes from `cur` to `to`. */
function failAt(code: u32, to: usize): i64 {
  if (!failed) report(ERROR, code, cur, to - cur)
  failed = true
  cur = end
  return 0
}

function skipSpace(): void {
  while (true) {
    cur = skipBlanks(cur, end)
    if (cur + 1 >= end || load<u16>(cur) != 0x2a2f) return
    cur += 2
    while (cur + 1 < end && load<u16>(cur) != 0x2f2a) cur++
    cur = min(cur + 2, end)
  }
}

/** Operators of one rank and above, from the left; `?` takes its right side as far as it goes. */
function binary(rank: u32): i64 {
  let left = unary()
  while (true) {
    const found = peekRank()
    if (failed || found < rank) return left
    const sign = operator
    cur += width(sign)
    skipSpace()
    if (found == QUESTION_RANK) left = conditional(left)
    else left = combined(sign, found, left)
  }
}

function combined(sign: u32, rank: u32, left: i64): i64 {
  const leftUnsigned = isUnsigned
  const decided = (sign == 0x7c7c && left != 0) || (sign == 0x2626 && left == 0)
  if (decided) quiet++
  const right = binary(rank + 1)
  if (decided) quiet--
  if (failed) return 0
  return apply(sign, left, right, leftUnsigned, isUnsigned)
}

function conditional(test: i64): i64 {
  if (test == 0) quiet++
  const yes = binary(COMMA_RANK)
  const yesUnsigned = isUnsigned
  if (test == 0) quiet--
  if (failed) return 0
  if (cur >= end || load<u8>(cur) != 0x3a) return fail(NO_COLON)
  cur++
  skipSpace()
  if (test != 0) quiet++
  const no = binary(QUESTION_RANK)
  if (test != 0) quiet--
  isUnsigned = isUnsigned || yesUnsigned
  return test != 0 ? yes : no
}

function unary(): i64 {
  if (++depth > DEEPEST) return fail(EXPRESSION_DEPTH)
  const value = operand()
  depth--
  return value
}

function operand(): i64 {
  if (cur >= end) return fail(NO_OPERAND)
  const c = load<u8>(cur)
  if (isDigit(c)) return literal()
  if (c == 0x27) return characterLiteral()
  if (startsWord(c)) return name()
  if (c == 0x28) return parenthesis()
  if (c != 0x21 && c != 0x7e && c != 0x2d && c != 0x2b) return fail(c == 0x22 || c == 0x23 || c == 0x2e ? BAD_TOKEN : NO_OPERAND)
  // `!=` begins no operand.
  if (c == 0x21 && cur + 1 < end && load<u8>(cur + 1) == 0x3d) return fail(NO_OPERAND)
  if ((c == 0x2d || c == 0x2b) && cur + 1 < end && load<u8>(cur + 1) == c) return fail(BAD_TOKEN)
  cur++
  skipSpace()
  const value = unary()
  if (c == 0x21) {
    isUnsigned = false
    return i64(value == 0)
  }
  if (c == 0x7e) return ~value
  if (c == 0x2b) return value
  if (!isUnsigned && value == i64.MIN_VALUE && quiet == 0) report(WARNING, OVERFLOW)
  return -value
}

function parenthesis(): i64 {
  cur++
  skipSpace()
  const value = binary(COMMA_RANK)
  if (failed) return 0
  if (cur >= end || load<u8>(cur) != 0x29) return fail(NO_CLOSE)
  cur++
  skipSpace()
  return value
}

function literal(): i64 {
  let to = cur
  // A number of the preprocessor: C17, 6.4.8.
  while (to < end) {
    const c = load<u8>(to)
    const sign = (c == 0x2b || c == 0x2d) && isExponent(load<u8>(to - 1))
    if (!inWord(c) && c != 0x2e && !sign) break
    to++
  }
  const value = readNumber(cur, to)
  if (value.code != 0) return failAt(value.code, to)
  isUnsigned = isUnsignedNumber()
  cur = to
  skipSpace()
  return value.value
}

function isExponent(c: u8): bool {
  return c == 0x65 || c == 0x45 || c == 0x70 || c == 0x50
}

function characterLiteral(): i64 {
  let to = cur + 1
  while (to < end && load<u8>(to) != 0x27) to += load<u8>(to) == 0x5c ? 2 : 1
  const value = readCharacter(cur + 1, min(to, end), to < end)
  if (value.code != 0) return fail(value.code)
  isUnsigned = false
  cur = to + 1
  skipSpace()
  return value.value
}

function name(): i64 {
  const to = wordEnd(cur, end)
  const isDefined = to - cur == 7 && load<u32>(cur) == 0x69666564 && load<u32>(cur + 3) == 0x64656e69
  cur = to
  skipSpace()
  isUnsigned = false
  return isDefined ? defined() : 0
}

/** `defined NAME` and `defined(NAME)`. */
function defined(): i64 {
  const hasParenthesis = cur < end && load<u8>(cur) == 0x28
  if (hasParenthesis) {
    cur++
    skipSpace()
  }
  if (cur >= end || !startsWord(load<u8>(cur))) return fail(NO_DEFINED_NAME)
  const to = wordEnd(cur, end)
  const found = lookUp(cur, to - cur) !== null
  cur = to
  skipSpace()
  if (!hasParenthesis) return i64(found)
  if (cur >= end || load<u8>(cur) != 0x29) return fail(NO_CLOSE)
  cur++
  skipSpace()
  return i64(found)
}

@inline
function width(sign: u32): usize {
  return sign > 0xff ? 2 : 1
}

/** The rank of the operator at `cur`, which `operator` then is; 0 when there is none. */
function peekRank(): u32 {
  if (cur >= end) return 0
  const c = u32(load<u8>(cur))
  const next = cur + 1 < end ? u32(load<u8>(cur + 1)) : 0
  operator = c | (next << 8)
  // ||, &&, ==, !=, <=, >=, <<, >>
  if (operator == 0x7c7c) return 3
  if (operator == 0x2626) return 4
  if (operator == 0x3d3d || operator == 0x3d21) return 8
  if (operator == 0x3d3c || operator == 0x3d3e) return 9
  if (operator == 0x3c3c || operator == 0x3e3e) return 10
  // An assignment, ++ and -- are no part of such an expression.
  if (next == 0x3d || (next == c && (c == 0x2b || c == 0x2d))) return 0
  operator = c
  if (c == 0x2c) return COMMA_RANK
  if (c == 0x3f) return QUESTION_RANK
  if (c == 0x7c) return 5
  if (c == 0x5e) return 6
  if (c == 0x26) return 7
  if (c == 0x3c || c == 0x3e) return 9
  if (c == 0x2b || c == 0x2d) return 11
  if (c == 0x2a || c == 0x2f || c == 0x25) return LAST_RANK
  return 0
}

function apply(sign: u32, a: i64, b: i64, leftUnsigned: bool, rightUnsigned: bool): i64 {
  const wide = leftUnsigned || rightUnsigned
  if (sign == 0x3c3c || sign == 0x3e3e) {
    isUnsigned = leftUnsigned
    const backwards = !rightUnsigned && b < 0
    return shifted(a, backwards ? u64(-b) : u64(b), (sign == 0x3c3c) != backwards, leftUnsigned)
  }
  if (sign == 0x2c) {
    isUnsigned = rightUnsigned
    return b
  }
  const truth = compared(sign, a, b, wide)
  isUnsigned = truth < 0 && wide
  if (truth >= 0) return i64(truth)
  if (sign == 0x7c) return a | b
  if (sign == 0x5e) return a ^ b
  if (sign == 0x26) return a & b
  if (sign == 0x2b || sign == 0x2d || sign == 0x2a) return arithmetic(sign, a, b, wide)
  return divided(sign, a, b, wide)
}

/** 0 or 1 for what compares and joins, -1 for other operators. */
function compared(sign: u32, a: i64, b: i64, wide: bool): i32 {
  if (sign == 0x7c7c) return i32(a != 0 || b != 0)
  if (sign == 0x2626) return i32(a != 0 && b != 0)
  if (sign == 0x3d3d) return i32(a == b)
  if (sign == 0x3d21) return i32(a != b)
  const less = wide ? u64(a) < u64(b) : a < b
  if (sign == 0x3c) return i32(less)
  if (sign == 0x3d3c) return i32(less || a == b)
  if (sign == 0x3e) return i32(!less && a != b)
  if (sign == 0x3d3e) return i32(!less)
  return -1
}

function arithmetic(sign: u32, a: i64, b: i64, wide: bool): i64 {
  const result = sign == 0x2b ? a + b : sign == 0x2d ? a - b : a * b
  if (wide || quiet > 0) return result
  let over = false
  if (sign == 0x2b) over = ((a ^ result) & (b ^ result)) < 0
  else if (sign == 0x2d) over = ((a ^ b) & (a ^ result)) < 0
  else over = a != 0 && ((a == -1 && b == i64.MIN_VALUE) || (b == -1 && a == i64.MIN_VALUE) || (b != -1 && result / a != b))
  if (over) report(WARNING, OVERFLOW)
  return result
}

function divided(sign: u32, a: i64, b: i64, wide: bool): i64 {
  if (b == 0) {
    // As in GNU cpp the rest still counts; it is an error all the same.
    if (quiet == 0) report(ERROR, DIVISION)
    return a
  }
  if (wide) return sign == 0x2f ? i64(u64(a) / u64(b)) : i64(u64(a) % u64(b))
  // The one quotient that has no room; the machine would trap.
  if (b == -1) return sign == 0x2f ? -a : 0
  return sign == 0x2f ? a / b : a % b
}

function shifted(a: i64, by: u64, left: bool, wide: bool): i64 {
  if (left) return by >= 64 ? 0 : a << i64(by)
  if (wide) return by >= 64 ? 0 : i64(u64(a) >> by)
  return a >> i64(min<u64>(by, 63))
}
