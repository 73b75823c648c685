/** Macros in the text of a Containerfile: what is a name there, and what it becomes. */
import {
  CLOSE,
  COMMA,
  DOLLAR,
  DOUBLE,
  find,
  HASH,
  isBlank,
  isDigit,
  isSpecial,
  LESS,
  NEWLINE,
  OPEN,
  RETURN,
  SINGLE,
  skipBlanks,
  SPACE,
  startsWord,
  trimmedEnd,
  wordEnd,
} from './characters'
import { variableEnd } from './definition'
import { directiveOf } from './directives'
import {
  DIRECTIVE_IN_CALL,
  ERROR,
  FATAL,
  FEW_ARGUMENTS,
  MACRO_DEPTH,
  MANY_ARGUMENTS,
  NO_CALL_END,
  RECURSION,
  report,
  reportWith,
  stopped,
} from './faults'
import { current } from './frames'
import { escapeCharacter } from './heredoc'
import { COUNTER, FILE, FUNCTION, LINE, lookUp, Macro } from './macros'
import { borrow, Buffer, giveBack } from './memory'
import { mayExpand } from './output'

const DEEPEST: u32 = 200

/** The quote that a line before this one of the instruction opened; 0 when none. */
let quote: u8 = 0
let counter: u32 = 0
let line: u32 = 0
/** In an expression of `#if`: the operand of `defined` stays. */
let inCondition: bool = false
/** Up to these addresses it is known that there is no such quote. */
let noSingle: usize = 0
let noDouble: usize = 0

export function prepareText(): void {
  quote = 0
  counter = 0
  noSingle = 0
  noDouble = 0
}

export function beginInstruction(): void {
  quote = 0
}

/** Copies one line of an instruction that ends at `limit`. Gives where it stopped: `end`, or the end of a later line that a macro's call reached. */
export function copyLine(from: usize, end: usize, limit: usize, target: Buffer, lineNumber: u32): usize {
  line = lineNumber
  inCondition = false
  return expand(from, end, limit, target, 0)
}

/** The text of an `#if` or `#include` with its macros replaced. */
export function copyCondition(from: usize, end: usize, target: Buffer, lineNumber: u32): void {
  const outside = quote
  line = lineNumber
  inCondition = true
  quote = 0
  expand(from, end, end, target, 0)
  quote = outside
}

function expand(at: usize, end: usize, limit: usize, target: Buffer, depth: u32): usize {
  let from = at
  if (quote != 0 && depth == 0) at = inOpenQuote(at, end)
  while (at < end) {
    const c = load<u8>(at)
    if (!isSpecial(c)) at++
    else if (startsWord(c)) {
      const to = wordEnd(at, end)
      const macro = lookUp(at, to - at)
      if (macro === null) at = inCondition ? behindDefined(at, to, end) : to
      else {
        target.append(from, at - from)
        from = at = replaceMacro(macro, at, to, end, limit, target, depth)
        if (at > end) end = lineEnd(at, limit)
      }
    } else if (isDigit(c)) at = wordEnd(at, end)
    else at = behindSpecial(c, at, end, limit, depth)
    if (stopped) break
  }
  target.append(from, end - from)
  return end
}

/** The end of a line of text, without the carriage return. */
export function lineEnd(at: usize, limit: usize): usize {
  const end = find(at, limit, NEWLINE)
  return end > at && load<u8>(end - 1) == RETURN ? end - 1 : end
}

function inOpenQuote(at: usize, end: usize): usize {
  const partner = partnerOf(quote, at, end)
  if (partner == 0) return end
  quote = 0
  return partner + 1
}

function behindSpecial(c: u8, at: usize, end: usize, limit: usize, depth: u32): usize {
  if (c == DOLLAR) return variableEnd(at, end)
  if (c == LESS) return behindLess(at, end)
  if (c == escapeCharacter()) {
    const next = at + 1 < end ? load<u8>(at + 1) : 0
    return next == c || next == DOUBLE || next == SINGLE || next == DOLLAR ? at + 2 : at + 1
  }
  const partner = partnerOf(c, at + 1, depth == 0 ? limit : end)
  if (partner == 0) return at + 1
  if (partner < end) return partner + 1
  quote = c
  return end
}

/** The name of a heredoc is no macro's. */
function behindLess(at: usize, end: usize): usize {
  if (at + 2 >= end || load<u8>(at + 1) != LESS) return at + 1
  at += load<u8>(at + 2) == 0x2d ? 3 : 2
  return wordEnd(at, end)
}

/** The quote that closes one, or 0. In double quotes the escape character takes away what a quote means. */
function partnerOf(c: u8, at: usize, limit: usize): usize {
  if (c == SINGLE) {
    if (limit == noSingle) return 0
    const found = find(at, limit, c)
    if (found < limit) return found
    noSingle = limit
    return 0
  }
  if (limit == noDouble) return 0
  for (; at < limit; at++) {
    const d = load<u8>(at)
    if (d == c) return at
    if (d == escapeCharacter()) at++
  }
  noDouble = limit
  return 0
}

function behindDefined(at: usize, to: usize, end: usize): usize {
  if (to - at != 7 || load<u32>(at) != 0x69666564 || load<u32>(at + 3) != 0x64656e69) return to
  to = skipBlanks(to, end)
  if (to < end && load<u8>(to) == OPEN) to = skipBlanks(to + 1, end)
  return wordEnd(to, end)
}

/** Puts what a macro stands for; gives where the text goes on. */
function replaceMacro(macro: Macro, at: usize, to: usize, end: usize, limit: usize, target: Buffer, depth: u32): usize {
  if (macro.kind >= LINE) {
    putBuiltIn(macro.kind, target)
    return to
  }
  const open = macro.kind == FUNCTION ? skipBlanks(to, end) : to
  if (macro.kind == FUNCTION && (open >= end || load<u8>(open) != OPEN)) {
    target.append(at, to - at)
    return to
  }
  if (macro.active > 0) {
    reportWith(ERROR, RECURSION, macro.name, macro.size, macro.frame, macro.line)
    target.append(at, to - at)
    return to
  }
  if (depth >= DEEPEST) report(FATAL, MACRO_DEPTH, macro.name, macro.size)
  if (!mayExpand(macro.bodySize)) return to
  if (macro.kind == FUNCTION) return call(macro, at, open + 1, limit, target, depth)
  expandBody(macro, macro.body, macro.body + macro.bodySize, target, depth)
  return to
}

function expandBody(macro: Macro, body: usize, end: usize, target: Buffer, depth: u32): void {
  // What is known of quotes belongs to another text.
  const single = noSingle
  const double = noDouble
  noSingle = noDouble = 0
  macro.active++
  expand(body, end, end, target, depth + 1)
  macro.active--
  noSingle = single
  noDouble = double
}

function putBuiltIn(kind: u32, target: Buffer): void {
  if (kind == LINE) target.putNumber(line)
  else if (kind == COUNTER) target.putNumber(counter++)
  else if (kind == FILE) {
    target.put(DOUBLE)
    target.append(current().name, current().nameSize)
    target.put(DOUBLE)
  }
}

/** A macro with its arguments, which begin at `at`. */
function call(macro: Macro, name: usize, at: usize, limit: usize, target: Buffer, depth: u32): usize {
  const ends = borrow()
  const end = readArguments(at, limit, ends, macro)
  if (end == 0) {
    report(ERROR, NO_CALL_END, macro.name, macro.size)
    giveBack(ends)
    target.append(name, at - name)
    return at
  }
  if (isCountRight(macro, at, ends)) {
    const texts = borrow()
    expandArguments(at, ends, texts, depth)
    substitute(macro, ends, texts, target, depth)
    giveBack(texts)
  }
  giveBack(ends)
  return end + 1
}

/** Puts the end of each argument into `ends`, and room for 4 bytes more; gives where the call ends, or 0. */
function readArguments(at: usize, limit: usize, ends: Buffer, macro: Macro): usize {
  let depth: u32 = 0
  for (; at < limit; at++) {
    const c = load<u8>(at)
    if (c == OPEN) depth++
    else if (c == CLOSE && depth-- == 0) {
      ends.put32(u32(at))
      ends.put32(0)
      return at
    } else if (c == COMMA && depth == 0 && !(macro.isVariadic && u32(ends.size >>> 3) + 1 >= macro.parameters)) {
      ends.put32(u32(at))
      ends.put32(0)
    } else if (c == DOUBLE || c == SINGLE) {
      const partner = partnerOf(c, at + 1, limit)
      if (partner != 0) at = partner
    } else if (c == escapeCharacter()) at++
  }
  return 0
}

function isCountRight(macro: Macro, at: usize, ends: Buffer): bool {
  let count = u32(ends.size >>> 3)
  if (count == 1 && skipBlanks(at, usize(load<u32>(ends.at))) == usize(load<u32>(ends.at)) && macro.parameters == 0) count = 0
  if (macro.isVariadic && count + 1 == macro.parameters) {
    ends.put32(load<u32>(ends.at + ends.size - 8))
    ends.put32(1)
    return true
  }
  if (count == macro.parameters) return true
  const code = count < macro.parameters ? FEW_ARGUMENTS : MANY_ARGUMENTS
  const text = borrow()
  text.append(macro.name, macro.size)
  text.put(SPACE)
  text.putNumber(macro.parameters)
  text.put(SPACE)
  text.putNumber(count)
  reportWith(ERROR, code, text.at, text.size, macro.frame, macro.line)
  giveBack(text)
  return false
}

/** Each argument without blanks around it and with its macros replaced; then `ends` holds how far each reaches in `texts`. */
function expandArguments(at: usize, ends: Buffer, texts: Buffer, depth: u32): void {
  const clean = borrow()
  for (let entry = ends.at, n: usize = 0; n < ends.size; n += 8, entry += 8) {
    const end = usize(load<u32>(entry))
    clean.size = 0
    if (load<u32>(entry, 4) == 0) joinLines(at, end, clean)
    const single = noSingle
  const double = noDouble
    noSingle = noDouble = 0
    const from = skipBlanks(clean.at, clean.end)
    const to = trimmedEnd(from, clean.end)
    expand(from, to, to, texts, depth + 1)
    noSingle = single
    noDouble = double
    store<u32>(entry, u32(texts.size), 4)
    at = end + 1
  }
  giveBack(clean)
}

/** An argument on one line: the escape characters at the ends of its lines, and comments between them, go. */
function joinLines(at: usize, end: usize, target: Buffer): void {
  while (true) {
    const newline = find(at, end, NEWLINE)
    target.append(at, newline - at)
    if (newline >= end) return
    while (target.size > 0 && (isBlank(load<u8>(target.end - 1)) || load<u8>(target.end - 1) == RETURN)) target.size--
    if (target.size > 0 && load<u8>(target.end - 1) == escapeCharacter()) target.size--
    target.put(SPACE)
    at = skipBlanks(newline + 1, end)
    while (at < end && load<u8>(at) == HASH) {
      const word = wordEnd(at + 1, end)
      if (directiveOf(at + 1, word - at - 1) != 0) report(ERROR, DIRECTIVE_IN_CALL, at, word - at)
      at = skipBlanks(min(find(at, end, NEWLINE) + 1, end), end)
    }
  }
}

/** Puts the arguments into the body, and what came out into the text, with its macros replaced. */
function substitute(macro: Macro, ends: Buffer, texts: Buffer, target: Buffer, depth: u32): void {
  const body = borrow()
  if (macro.parameters == 0) body.append(macro.body, macro.bodySize)
  else
    for (let piece = macro.pieces; ; piece += 12) {
      body.append(usize(load<u32>(piece)), usize(load<u32>(piece, 4)))
      const parameter = load<u32>(piece, 8)
      if (parameter == 0) break
      const entry = ends.at + (usize(parameter - 1) << 3)
      const from = parameter == 1 ? 0 : load<u32>(entry - 8, 4)
      const size = load<u32>(entry, 4) - from
      if (!mayExpand(size)) break
      body.append(texts.at + usize(from), usize(size))
    }
  expandBody(macro, body.at, body.end, target, depth)
  giveBack(body)
}
