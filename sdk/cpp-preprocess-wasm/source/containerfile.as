/** A Containerfile, line by line. */
import { find, HASH, NEWLINE, prepareCharacters, RETURN, skipBlanks, wordEnd } from './characters'
import { beginInstruction, copyCondition, copyLine, prepareText } from './container-text'
import {
  carryOut,
  directiveOf,
  DEFINE,
  ELIF,
  endsWord,
  IF,
  IMPORT,
  INCLUDE,
  isConditional,
  isEvaluated,
  isOncePragma,
  PRAGMA,
  readOnce,
  wantedKind,
} from './directives'
import { at, ERROR, NO_COMMENT_END, NO_HEREDOC_END, report, stopped } from './faults'
import { current, Frame, hasFrame, pop, skipping } from './frames'
import {
  bodyGoesOn,
  escapeAt,
  forgetNames,
  isIdle,
  Lines,
  newLines,
  noteLine,
  prepareHeredocs,
  setEscape,
  waitedName,
  waitedNameSize,
} from './heredoc'
import { borrow, Buffer, giveBack, newBuffer } from './memory'
import { endLine, out, place } from './output'

/** Of the text that comes out, and of what is left out: it must not change what follows. */
let kept: Lines | null = null
let left: Lines | null = null
let wasSkipping: bool = false
/** A heredoc's body is read: its first line's number, and whether it comes out. */
let inBody: bool = false
let bodyLine: u32 = 0
/** Only parser directives came out so far. */
let isTop: bool = true
let hasInterpreter: bool = false
/** The end of the instruction that is read, as far as it is in this file. */
let limit: usize = 0

export function prepareContainerfile(): void {
  prepareCharacters(true, 0x5c)
  prepareHeredocs()
  prepareText()
  kept = newLines()
  left = newLines()
  wasSkipping = false
  inBody = false
  isTop = true
  hasInterpreter = false
  limit = 0
}

/** Reads until an include is wanted or everything is done. */
export function runContainerfile(): void {
  while (hasFrame() && !stopped && wantedKind == 0) {
    const frame = current()
    if (frame.cur >= frame.end) leave(frame)
    else if (inBody) readBody(frame)
    else readLine(frame)
  }
}

function leave(frame: Frame): void {
  if (inBody) {
    at(frame.number, bodyLine)
    report(ERROR, NO_HEREDOC_END, waitedName(), waitedNameSize())
    forgetNames()
    inBody = false
  }
  limit = 0
  pop()
}

/** A line of a heredoc's body is copied as it is. */
function readBody(frame: Frame): void {
  const end = find(frame.cur, frame.end, NEWLINE)
  const from = frame.cur
  if (!skipping) {
    place(frame.number, frame.line)
    out().append(from, end - from)
    finishLine(frame, end)
  }
  inBody = bodyGoesOn(from, end)
  frame.cur = end + 1
  frame.line++
}

/** The last line of the whole keeps having no end. */
function finishLine(frame: Frame, end: usize): void {
  if (end < frame.end || frame.below !== null) endLine()
}

function readLine(frame: Frame): void {
  if (skipping && !wasSkipping) (left as Lines).continues = (kept as Lines).continues
  wasSkipping = skipping
  const lines = (skipping ? left : kept) as Lines
  const first = skipBlanks(frame.cur, frame.end)
  const c = first < frame.end ? load<u8>(first) : 0
  if (c == HASH) return readHash(frame, first)
  if (c == 0x2f && !lines.continues && first + 1 < frame.end && load<u8>(first + 1) == 0x2a) return readComment(frame, first)
  readText(frame, lines)
}

function readText(frame: Frame, lines: Lines): void {
  const from = frame.cur
  const newline = find(from, frame.end, NEWLINE)
  if (skipping) {
    if (!isIdle(from, newline) && noteLine(lines, from, newline)) beginBody(frame)
    frame.cur = newline + 1
    frame.line++
    return
  }
  isTop = false
  at(frame.number, frame.line)
  place(frame.number, frame.line)
  if (isIdle(from, newline)) return copyWhole(frame, newline)
  if (!lines.continues) beginInstruction()
  if (!lines.continues || from >= limit) limit = instructionEnd(from, newline, frame.end)
  const text = out()
  const start = text.size
  const end = newline > from && load<u8>(newline - 1) == RETURN ? newline - 1 : newline
  const reached = copyLine(from, end, limit, text, frame.line)
  const next = reached == end ? newline : find(reached, frame.end, NEWLINE)
  if (noteLine(lines, text.at + start, text.end)) beginBody(frame)
  text.append(reached, next - reached)
  advance(frame, from, next, reached != end)
}

function advance(frame: Frame, from: usize, newline: usize, isMore: bool): void {
  finishLine(frame, newline)
  if (isMore) for (let p = find(from, newline, NEWLINE); p < newline; p = find(p + 1, newline, NEWLINE)) frame.line++
  frame.cur = newline + 1
  frame.line++
}

function copyWhole(frame: Frame, newline: usize): void {
  out().append(frame.cur, newline - frame.cur)
  finishLine(frame, newline)
  frame.cur = newline + 1
  frame.line++
}

function beginBody(frame: Frame): void {
  inBody = true
  bodyLine = frame.line
}

/** Behind the last line that belongs to the instruction, of which one line is from `from` to `newline`. */
function instructionEnd(from: usize, newline: usize, end: usize): usize {
  let goesOn = escapeAt(from, newline) != 0
  while (goesOn && newline < end) {
    from = newline + 1
    newline = find(from, end, NEWLINE)
    if (!isIdle(from, newline)) goesOn = escapeAt(from, newline) != 0
  }
  return newline
}

/** `/*` in front of an instruction begins a comment; what follows its end is the line. */
function readComment(frame: Frame, first: usize): void {
  let to = first + 2
  while (to + 1 < frame.end && load<u16>(to) != 0x2f2a) to++
  if (to + 1 >= frame.end) {
    at(frame.number, frame.line)
    report(ERROR, NO_COMMENT_END)
    frame.cur = frame.end
    return
  }
  to += 2
  for (let p = find(first, to, NEWLINE); p < to; p = find(p + 1, to, NEWLINE)) frame.line++
  const next = skipBlanks(to, frame.end)
  frame.cur = to
  if (next < frame.end && load<u8>(next) != NEWLINE && load<u8>(next) != RETURN) return
  const newline = find(next, frame.end, NEWLINE)
  if (skipBlanks(next + 1, newline) < newline) return
  frame.cur = newline + 1
  frame.line++
}

/** A directive, or a comment, which stays. */
function readHash(frame: Frame, first: usize): void {
  const word = first + 1
  const newline = find(word, frame.end, NEWLINE)
  const to = wordEnd(word, newline)
  const end = newline > to && load<u8>(newline - 1) == RETURN ? newline - 1 : newline
  const kind = directiveOf(word, to - word)
  const isDirective = kind >= DEFINE && kind < IMPORT && endsWord(kind, to, end) && (kind != PRAGMA || isOncePragma(to, end))
  if (isDirective) return readDirective(frame, kind, word, to, newline)
  if (!skipping) {
    place(frame.number, frame.line)
    if (isTop) isTop = readParserDirective(first, end)
    out().append(frame.cur, newline - frame.cur)
    finishLine(frame, newline)
  }
  frame.cur = newline + 1
  frame.line++
}

function readDirective(frame: Frame, kind: u32, word: usize, to: usize, newline: usize): void {
  const line = frame.line
  frame.line++
  frame.cur = newline + 1
  let end = newline
  let from = to
  if (escapeAt(to, newline) != 0) {
    const joined = joinLines(frame, to, newline)
    from = joined.at
    end = joined.end
  } else if (end > from && load<u8>(end - 1) == RETURN) end--
  if (skipping && !isConditional(kind)) return
  if (kind == PRAGMA) {
    at(frame.number, line)
    return readOnce(frame)
  }
  at(frame.number, line)
  const quoted = skipBlanks(from, end)
  const isName = kind == INCLUDE && quoted < end && load<u8>(quoted) != 0x22 && load<u8>(quoted) != 0x3c
  if (!isName && !((kind == IF || kind == ELIF) && isEvaluated(kind))) return carryOut(kind, word, from, end, line)
  const text = borrow()
  copyCondition(from, end, text, line)
  carryOut(kind, word, text.at, text.end, line)
  giveBack(text)
}

/** The lines of a directive as one. It stays in memory, for a macro may be of it. */
function joinLines(frame: Frame, from: usize, newline: usize): Buffer {
  const joined = newBuffer(newline - from + 64)
  while (true) {
    const escapes = escapeAt(from, newline)
    const end = newline > from && load<u8>(newline - 1) == RETURN ? newline - 1 : newline
    joined.append(from, (escapes != 0 ? escapes : end) - from)
    if (escapes == 0 || frame.cur >= frame.end) return joined
    from = frame.cur
    newline = find(from, frame.end, NEWLINE)
    frame.cur = newline + 1
    frame.line++
  }
}

/** Whether a line leaves open that parser directives follow; `# escape=` counts from here on. Source: Dockerfile reference, "Parser directives". */
function readParserDirective(hash: usize, end: usize): bool {
  if (out().size == 0 && hash + 1 < end && load<u8>(hash + 1) == 0x21) {
    hasInterpreter = true
    return true
  }
  const word = skipBlanks(hash + 1, end)
  const to = wordEnd(word, end)
  const equals = skipBlanks(to, end)
  if (equals >= end || load<u8>(equals) != 0x3d) return false
  const value = skipBlanks(equals + 1, end)
  if (value >= end) return false
  const size = to - word
  const first = load<u32>(word) | 0x20202020
  // check, syntax
  if (size == 5 && first == 0x63656863 && (load<u8>(word + 4) | 0x20) == 0x6b) return true
  const last = u32(load<u16>(word + 4)) | 0x2020
  if (size == 6 && first == 0x746e7973 && last == 0x7861) return true
  if (size != 6 || first != 0x61637365 || last != 0x6570) return false
  const c = load<u8>(value)
  if (!hasInterpreter && (c == 0x60 || c == 0x5c)) {
    setEscape(c)
    prepareCharacters(true, c)
  }
  return true
}
