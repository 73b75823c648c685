/** Lines that begin with `#`, as traditional cpp reads them: the `#` must be the first character. */
import {
  BACKSLASH,
  CLOSE,
  DOLLAR,
  DOUBLE,
  HASH,
  inWord,
  isBlank,
  isDigit,
  OPEN,
  prepareCharacters,
  SINGLE,
  skipBlanks,
  SLASH,
  SPACE,
  STAR,
  startsWord,
  trimmedEnd,
  wordEnd,
} from './characters'
import {
  carryOut,
  DEFINE,
  directiveOf,
  ELIF,
  ENDIF,
  IDENT,
  IF,
  IFNDEF,
  IMPORT,
  INCLUDE,
  INCLUDE_NEXT,
  isConditional,
  isOncePragma,
  LINE_DIRECTIVE,
  PRAGMA,
  readOnce,
  SCCS,
  wantedKind,
} from './directives'
import { addBreak, isReserved, noBreaks } from './definition'
import { at, ERROR, LINE_FILE, LINE_NUMBER, NO_COMMENT_END, report, stopped, UNKNOWN_DIRECTIVE, UNSUPPORTED } from './faults'
import { current, Frame, skipping } from './frames'
import { borrow, Buffer, giveBack, kept, newBuffer } from './memory'
import { getCur, prepareScan, sawText, scan, scanDirective, scanned, setCur, skipBlock } from './traditional'
import { freshLine, lineLimit, lineStart, passJoins, prepareLines } from './traditional-lines'
import { marker, preparePrinting, printLine, printOwnLine, printTo } from './traditional-output'

export function prepareTraditional(markers: bool): void {
  prepareCharacters(false, BACKSLASH)
  prepareLines()
  prepareScan()
  preparePrinting(markers)
}

/** Reads until an include is wanted or everything is done. */
export function runTraditional(): void {
  while (!stopped && wantedKind == 0 && freshLine(true)) {
    const frame = current()
    setCur(lineStart())
    if (load<u8>(lineStart()) == HASH) readHash(frame)
    else {
      const line = frame.line
      scan()
      if (sawText) current().mayGuard = false
      if (!skipping) printLine(scanned().at, scanned().size, line)
    }
  }
}

function readHash(frame: Frame): void {
  const line = frame.line
  setCur(lineStart() + 1)
  at(frame.number, line)
  skipSpace()
  const from = getCur()
  const end = lineLimit() - 1
  if (from >= end) {
    // GNU cpp does not count the joins of a line that has nothing but the `#`.
    const line = frame.line
    passJoins(end)
    frame.shift -= frame.line - line
    frame.line++
    return
  }
  if (isDigit(load<u8>(from))) return readMarker(frame, from, line)
  const to = wordEnd(from, end)
  // Other letters make it another word.
  const isName = startsWord(load<u8>(from)) && load<u8>(to) < 0x80 && load<u8>(to) != DOLLAR
  const kind = isName ? directiveOf(from, to - from) : 0
  const word = kept(from, isName ? to - from : 1)
  const size = isName ? to - from : 1
  setCur(isName ? to : from)
  if (kind < IF || kind > IFNDEF) frame.mayGuard = false
  if (kind == DEFINE && !skipping) return readDefinition(frame, word, line)
  scanDirective(
    !takesMacros(kind) && !(skipping && !isConditional(kind)),
    kind == IF || kind == ELIF,
    kind == INCLUDE || kind == IMPORT || kind == INCLUDE_NEXT,
  )
  at(frame.number, line)
  if (kind == 0) {
    if (!skipping) report(ERROR, UNKNOWN_DIRECTIVE, word, size)
    return
  }
  const text = scanned()
  if (!skipping && kind >= PRAGMA && kind != IMPORT) return readOther(frame, kind, text, word, size, line)
  // The name stands in front of its text, for the messages that show it.
  const whole = newBuffer(text.size + size + 1)
  whole.append(word, size)
  whole.put(SPACE)
  whole.append(text.at, text.size)
  carryOut(kind, whole.at, whole.at + size + 1, whole.end, line)
}

function takesMacros(kind: u32): bool {
  return (
    kind == IF || kind == ELIF || kind == INCLUDE || kind == IMPORT || kind == INCLUDE_NEXT || kind == LINE_DIRECTIVE || kind == 0
  )
}

/** Blanks and comments. */
function skipSpace(): void {
  while (true) {
    const end = lineLimit() - 1
    let cur = skipBlanks(getCur(), end)
    setCur(cur)
    if (cur + 1 >= end || load<u8>(cur) != SLASH || load<u8>(cur + 1) != STAR) return
    setCur(cur + 1)
    if (!skipBlock()) return report(ERROR, NO_COMMENT_END)
  }
}

/** A definition is not scanned as other lines are: no comment in it leaves a blank, and its parameters count in quotes too. */
function readDefinition(frame: Frame, word: usize, line: u32): void {
  const text = newBuffer(lineLimit() - getCur() + 16)
  noBreaks()
  skipSpace()
  const cur = getCur()
  const to = nameEnd(cur, lineLimit() - 1)
  if (!isMacroName(cur, to)) return refuseDefinition(frame, cur, to, line)
  text.append(cur, to - cur)
  setCur(to)
  if (to < lineLimit() - 1 && load<u8>(to) == OPEN) copyParameters(text)
  text.put(SPACE)
  skipSpace()
  copyBody(text)
  passJoins(lineLimit() - 1)
  frame.line++
  carryOut(DEFINE, word, text.at, text.end, line)
}

/** Behind a name as the standard has it: with letters of other scripts, which no text is searched for. */
function nameEnd(at: usize, end: usize): usize {
  if (at < end && isDigit(load<u8>(at))) return wordEnd(at, end)
  while (at < end && (inWord(load<u8>(at)) || load<u8>(at) >= 0x80 || load<u8>(at) == DOLLAR)) at++
  return at
}

function isMacroName(from: usize, to: usize): bool {
  return to > from && !isDigit(load<u8>(from)) && !isReserved(kept(from, to - from), to - from)
}

/** What stands behind a name that is none is text. */
function refuseDefinition(frame: Frame, from: usize, to: usize, line: u32): void {
  const end = lineLimit() - 1
  carryOut(DEFINE, from, from, end, line)
  if (from < end) {
    setCur(max(to, from + 1))
    scan()
    printLine(scanned().at, scanned().size, line)
  } else {
    passJoins(end)
    frame.line++
  }
}

function copyParameters(text: Buffer): void {
  while (getCur() < lineLimit() - 1) {
    skipSpace()
    const cur = getCur()
    if (cur >= lineLimit() - 1) return
    const c = load<u8>(cur)
    text.put(c)
    setCur(cur + 1)
    if (c == CLOSE) return
    if (cur + 1 < lineLimit() - 1 && (isBlank(load<u8>(cur + 1)) || load<u8>(cur + 1) == SLASH)) text.put(SPACE)
  }
}

function copyBody(text: Buffer): void {
  let quote: u8 = 0
  while (getCur() < lineLimit() - 1) {
    const cur = getCur()
    const c = load<u8>(cur)
    const next = load<u8>(cur + 1)
    setCur(cur + 1)
    if (c == SLASH && next == STAR && quote == 0) {
      if (!skipBlock()) report(ERROR, NO_COMMENT_END)
      addBreak(text.size)
      continue
    }
    text.put(c)
    if (c == DOUBLE || c == SINGLE) {
      if (c == quote) quote = 0
      else if (quote == 0) quote = c
    } else if (c == BACKSLASH && (next == BACKSLASH || next == DOUBLE || next == SINGLE)) {
      text.put(next)
      setCur(cur + 2)
    }
  }
}

function readOther(frame: Frame, kind: u32, text: Buffer, word: usize, size: usize, line: u32): void {
  const from = skipBlanks(text.at, text.end)
  const end = trimmedEnd(from, text.end)
  if (kind == PRAGMA && isOncePragma(from, end)) {
    printTo(frame.line)
    return readOnce(frame)
  }
  if (kind == LINE_DIRECTIVE) return setLine(frame, from, end)
  if (kind == INCLUDE_NEXT) return report(ERROR, UNSUPPORTED, word, size)
  if (kind != PRAGMA && kind != IDENT && kind != SCCS) return
  const own = borrow()
  own.put(HASH)
  const name = kind == SCCS ? 'ident' : ''
  for (let i = 0; i < name.length; i++) own.put(u8(name.charCodeAt(i)))
  if (kind != SCCS) own.append(word, size)
  own.put(SPACE)
  putCollapsed(own, from, end)
  printOwnLine(own.at, own.size, line)
  giveBack(own)
}

/** Tokens with one blank where there were some. */
function putCollapsed(own: Buffer, from: usize, end: usize): void {
  let quote: u8 = 0
  for (let p = from; p < end; p++) {
    const c = load<u8>(p)
    if (quote == 0 && isBlank(c)) {
      if (!isBlank(load<u8>(p - 1))) own.put(SPACE)
      continue
    }
    own.put(c)
    if (c == quote) quote = 0
    else if (quote == 0 && (c == DOUBLE || c == SINGLE)) quote = c
  }
}

/** `#line 12 "file"`. */
function setLine(frame: Frame, from: usize, end: usize): void {
  const to = wordEnd(from, end)
  let value: u32 = 0
  for (let p = from; p < to; p++) {
    if (!isDigit(load<u8>(p))) return report(ERROR, LINE_NUMBER, from, to - from)
    value = value * 10 + (u32(load<u8>(p)) - 0x30)
  }
  if (to == from) return report(ERROR, LINE_NUMBER, from, end - from)
  if (!setName(frame, skipBlanks(to, end), end)) return
  frame.shift = value - frame.line
  marker(frame.name, frame.nameSize, value, 0)
}

function setName(frame: Frame, from: usize, end: usize): bool {
  if (from >= end) return true
  let to = from + 1
  while (to < end && load<u8>(to) != DOUBLE) to++
  if (load<u8>(from) != DOUBLE || to >= end) {
    report(ERROR, LINE_FILE, from, end - from)
    return false
  }
  frame.nameSize = to - from - 1
  frame.name = kept(from + 1, frame.nameSize)
  return true
}

/** `# 12 "file"`, as it comes out of another preprocessor. */
function readMarker(frame: Frame, from: usize, line: u32): void {
  setCur(from)
  scanDirective(true, false, false)
  at(frame.number, line)
  if (skipping) return
  const text = scanned()
  setLine(frame, text.at, trimmedEnd(text.at, text.end))
}
