/**
 * Text as `cpp -traditional` treats it: a line is scanned once, macros are text that is scanned in the place of their names, and
 * arguments are put into bodies as they are. Held to GNU cpp by tests.
 */
import {
  BACKSLASH,
  CLOSE,
  COMMA,
  DOUBLE,
  GREATER,
  HASH,
  isBlank,
  isSpecial,
  LESS,
  NEWLINE,
  OPEN,
  SINGLE,
  SLASH,
  SPACE,
  STAR,
  startsWord,
  wordEnd,
} from './characters'
import {
  at,
  ERROR,
  FATAL,
  FEW_ARGUMENTS,
  MACRO_DEPTH,
  MANY_ARGUMENTS,
  NO_CALL_END,
  NO_COMMENT_END,
  RECURSION,
  report,
  reportWith,
  stopped,
} from './faults'
import { current, Frame, skipping } from './frames'
import { COUNTER, FILE, FUNCTION, LEVEL, LINE, lookUp, Macro } from './macros'
import { allocate, borrow, Buffer, giveBack, newBuffer } from './memory'
import { mayExpand } from './output'
import { freshLine, lineLimit, lineStart, passJoins } from './traditional-lines'

/** What was seen last, and decides what comes. */
const PLAIN: u32 = 0
/** The name of a function: a parenthesis may follow. */
const NAMED: u32 = 1
const ARGUMENTS: u32 = 2
/** Behind `defined`, and within its parentheses. */
const DEFINED: u32 = 3
const DEFINED_OPEN: u32 = 4

/** A macro's text that is scanned. */
@unmanaged
class Context {
  below: Context | null
  macro: Macro | null
  cur: usize
  end: usize
  buffer: Buffer | null
}

const DEEPEST: u32 = 2000

let top: Context | null = null
let depth: u32 = 0
let free: Context | null = null
/** Where the line is read on. */
let lineCur: usize = 0
let counter: u32 = 0

/** The logical line that comes out. */
let result: Buffer | null = null
/** The call that is read: its macro, where its name began in the result, and where its arguments end there. */
let called: Macro | null = null
let callAt: usize = 0
let callLine: u32 = 0
let ends: Buffer | null = null

/** How a line is scanned. */
export let prevents: bool = false
let inDirective: bool = false
let inCondition: bool = false
let takesAngles: bool = false
/** Something stood in the line that is no comment. */
export let sawText: bool = false

export function prepareScan(): void {
  top = null
  depth = 0
  counter = 0
  result = newBuffer(1024)
  ends = newBuffer(64)
}

export function scanned(): Buffer {
  return result as Buffer
}

/** The place in the line behind what was read. */
export function setCur(cur: usize): void {
  lineCur = cur
}

export function getCur(): usize {
  return lineCur
}

/** Scans the rest of a directive's line. */
export function scanDirective(noMacros: bool, isCondition: bool, isInclude: bool): void {
  prevents = noMacros
  inDirective = true
  inCondition = isCondition
  takesAngles = isInclude
  scan()
  prevents = false
  inDirective = false
  inCondition = false
  takesAngles = false
}

/** Scans a logical line from `lineCur` on into the result. */
export function scan(): void {
  const line = result as Buffer
  line.size = 0
  let state = PLAIN
  let parentheses: u32 = 0
  let quote: u8 = 0
  let header = takesAngles
  called = null
  sawText = false
  while (!stopped) {
    const context = top
    if (context === null) passJoins(lineCur)
    const cur = context === null ? lineCur : context.cur
    const end = context === null ? lineLimit() - 1 : context.end
    if (cur >= end) {
      if (context !== null) {
        popContext()
        continue
      }
      current().line++
      lineCur = lineLimit()
      if ((state != NAMED && state != ARGUMENTS) || inDirective || !freshLine(true)) break
      line.put(state == ARGUMENTS ? SPACE : NEWLINE)
      lineCur = lineStart()
      continue
    }
    if ((state == PLAIN || state == ARGUMENTS) && !header) {
      const plain = plainEnd(cur, end, skipping || quote != 0)
      if (plain > cur) {
        line.append(cur, plain - cur)
        moveTo(context, plain)
        continue
      }
    }
    const c = load<u8>(cur)
    moveTo(context, cur + 1)
    if (isBlank(c)) {
      line.put(c)
      continue
    }
    if (startsWord(c)) {
      if (skipping || quote != 0) {
        // In a quote each letter is for itself; nothing begins with it.
        line.put(c)
      } else {
        const next = word(cur, wordEnd(cur, end), context, state, line)
        if (next != SAME) {
          state = next
          continue
        }
      }
    } else {
      line.put(c)
      if (c == SLASH && quote == 0 && cur + 1 < end && load<u8>(cur + 1) == STAR) {
        skipComment(context, line)
        continue
      }
      if (c == LESS) {
        if (header) quote = GREATER
      } else if (c == GREATER) {
        if (c == quote) quote = 0
      } else if (c == DOUBLE || c == SINGLE) {
        if (c == quote) quote = 0
        else if (quote == 0) quote = c
      } else if (c == BACKSLASH) {
        const d = cur + 1 < end ? load<u8>(cur + 1) : 0
        if (d == BACKSLASH || d == DOUBLE || d == SINGLE) {
          line.put(d)
          moveTo(context, cur + 2)
        }
      } else if (quote == 0) {
        if (c == OPEN) {
          parentheses++
          if (state == NAMED) {
            if (recurs(called as Macro)) state = PLAIN
            else {
              state = ARGUMENTS
              parentheses = 1
              line.size = callAt
              ;(ends as Buffer).size = 0
            }
          } else if (state == DEFINED) {
            header = false
            state = DEFINED_OPEN
            continue
          }
        } else if (c == COMMA) {
          if (state == ARGUMENTS && parentheses == 1) saveArgument(line)
        } else if (c == CLOSE) {
          parentheses--
          if (state == ARGUMENTS && parentheses == 0) {
            state = PLAIN
            saveArgument(line)
            if (isCountRight(line)) {
              header = false
              replaceCall(line)
              continue
            }
          } else if (state == DEFINED_OPEN) state = PLAIN
        }
      }
    }
    header = false
    sawText = true
    if (state == NAMED || state == DEFINED) state = PLAIN
  }
  while (top !== null) popContext()
  if (state == ARGUMENTS) {
    at(current().number, callLine)
    report(ERROR, NO_CALL_END, (called as Macro).name, (called as Macro).size)
  }
}

/** What {@link word} gives when it changes nothing; otherwise the next state. */
const SAME: u32 = 0xff

/** Behind the characters that mean nothing here; in quotes words are such. */
function plainEnd(at: usize, end: usize, withWords: bool): usize {
  for (; at < end; at++) {
    const c = load<u8>(at)
    if (isSpecial(c) && !(withWords && startsWord(c))) break
    if (!isBlank(c)) sawText = true
  }
  return at
}

@inline
function moveTo(context: Context | null, cur: usize): void {
  if (context === null) lineCur = cur
  else context.cur = cur
}

/** A word outside of quotes: it comes out, or begins a call, or is replaced. */
function word(from: usize, to: usize, context: Context | null, state: u32, line: Buffer): u32 {
  moveTo(context, to)
  const start = line.size
  line.append(from, to - from)
  const macro = lookUp(from, to - from)
  if (macro !== null && (state == PLAIN || state == NAMED) && !prevents) {
    if (macro.kind == FUNCTION) {
      called = macro
      callAt = start
      callLine = current().line
      return NAMED
    }
    if (!recurs(macro)) {
      line.size = start
      if (macro.kind >= LINE) putBuiltIn(macro, line)
      else pushContext(macro, macro.body, macro.bodySize, null)
      return PLAIN
    }
  } else if (inCondition && isDefined(from, to)) return DEFINED
  return SAME
}

function isDefined(from: usize, to: usize): bool {
  return to - from == 7 && load<u32>(from) == 0x69666564 && load<u32>(from + 3) == 0x64656e69
}

function pushContext(macro: Macro, from: usize, size: usize, buffer: Buffer | null): void {
  let context = free
  if (context === null) context = changetype<Context>(allocate(offsetof<Context>()))
  else free = context.below
  context.below = top
  context.macro = macro
  context.cur = from
  context.end = from + size
  context.buffer = buffer
  macro.active++
  top = context
  if (++depth > DEEPEST) {
    at(current().number, current().line)
    report(FATAL, MACRO_DEPTH, macro.name, macro.size)
  }
  mayExpand(size)
}

function popContext(): void {
  const context = top as Context
  const buffer = context.buffer
  if (buffer !== null) giveBack(buffer)
  ;(context.macro as Macro).active--
  top = context.below
  context.below = free
  free = context
  depth--
}

/** An object is under way once; a function may be, until more than 20 texts are scanned since it first was. */
function recurs(macro: Macro): bool {
  if (macro.active == 0) return false
  if (macro.kind == FUNCTION) {
    let deep: u32 = 0
    let context = top
    let found = false
    while (context !== null) {
      deep++
      if (context.macro === macro && deep > 20) {
        found = true
        break
      }
      context = context.below
    }
    if (!found) return false
  }
  at(current().number, current().line)
  reportWith(ERROR, RECURSION, macro.name, macro.size, macro.frame, macro.line)
  return true
}

function putBuiltIn(macro: Macro, line: Buffer): void {
  const frame = current()
  if (macro.kind == LINE) line.putNumber(frame.line + frame.shift)
  else if (macro.kind == COUNTER) line.putNumber(counter++)
  else if (macro.kind == LEVEL) line.putNumber(frame.depth)
  else {
    let named = frame
    if (macro.kind != FILE) while (named.below !== null) named = named.below as Frame
    line.put(DOUBLE)
    line.append(named.name, named.nameSize)
    line.put(DOUBLE)
  }
}

/** Behind `/`, which is in the line already. Comments of a directive become a blank. */
function skipComment(context: Context | null, line: Buffer): void {
  const frame = current()
  const begun = frame.line
  const number = frame.number
  if (inDirective) store<u8>(line.end - 1, SPACE)
  else line.size--
  if (context !== null) {
    let cur = context.cur + 1
    while (cur + 1 < context.end && load<u16>(cur) != 0x2f2a) cur++
    context.cur = min(cur + 2, context.end)
    return
  }
  if (!skipBlock()) {
    at(number, begun)
    report(ERROR, NO_COMMENT_END)
  }
}

/** Goes behind a comment that began with the `*` at `lineCur`; false when the file ends first. */
export function skipBlock(): bool {
  let cur = lineCur + 1
  while (true) {
    const end = lineLimit() - 1
    while (cur + 1 < end && load<u16>(cur) != 0x2f2a) cur++
    if (cur + 1 < end) {
      passJoins(cur + 2)
      lineCur = cur + 2
      return true
    }
    passJoins(end)
    if (!freshLine(false)) {
      lineCur = end
      return false
    }
    current().line++
    cur = lineStart()
  }
}

function saveArgument(line: Buffer): void {
  ;(ends as Buffer).put32(u32(line.size))
}

/** Whether there are as many arguments as parameters. One that is empty is none. */
function isCountRight(line: Buffer): bool {
  const macro = called as Macro
  let count = u32((ends as Buffer).size >>> 2)
  if (count == 1 && macro.parameters == 0 && line.size == callAt + 1) count = 0
  if (count == macro.parameters) return true
  // An empty argument is one where one is wanted.
  const code = count < macro.parameters ? FEW_ARGUMENTS : MANY_ARGUMENTS
  const text = borrow()
  text.append(macro.name, macro.size)
  text.put(SPACE)
  text.putNumber(macro.parameters)
  text.put(SPACE)
  text.putNumber(count)
  at(current().number, current().line)
  reportWith(ERROR, code, text.at, text.size, macro.frame, macro.line)
  giveBack(text)
  return false
}

/** Takes a call out of the line, and goes on with the macro's text and the arguments in it. */
function replaceCall(line: Buffer): void {
  const macro = called as Macro
  const from = callAt
  if (macro.parameters == 0) {
    line.size = from
    return pushContext(macro, macro.body, macro.bodySize, null)
  }
  const text = borrow()
  let inQuotes = false
  for (let piece = macro.pieces; ; piece += 12) {
    const at = usize(load<u32>(piece))
    const size = usize(load<u32>(piece, 4))
    text.append(at, size)
    for (let i: usize = 0; i < size; i++) if (load<u8>(at + i) == DOUBLE) inQuotes = !inQuotes
    const parameter = load<u32>(piece, 8)
    if (parameter == 0) break
    const list = (ends as Buffer).at
    const begin = parameter == 1 ? from : usize(load<u32>(list + (usize(parameter - 2) << 2)))
    const last = usize(load<u32>(list + (usize(parameter - 1) << 2))) - 1
    if (!mayExpand(last - begin)) break
    if (inQuotes) putQuoted(line.at + begin, line.at + last, text)
    else text.append(line.at + begin, last - begin)
  }
  line.size = from
  pushContext(macro, text.at, text.size, text)
}

/** An argument within double quotes: its own are escaped, and the backslashes between them. */
function putQuoted(from: usize, end: usize, text: Buffer): void {
  let inQuotes = false
  for (let p = from; p < end; p++) {
    const c = load<u8>(p)
    if (c == DOUBLE) {
      text.put(BACKSLASH)
      if (p > from && load<u8>(p - 1) != BACKSLASH) inQuotes = !inQuotes
    } else if (c == BACKSLASH && inQuotes) text.put(BACKSLASH)
    text.put(c)
  }
}
