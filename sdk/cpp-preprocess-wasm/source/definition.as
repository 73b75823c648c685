/** Makes macros of what `#define` and `-D` say. */
import { CLOSE, COMMA, DOLLAR, DOT, find, inWord, OPEN, skipBlanks, SPACE, startsWord, trimmedEnd, wordEnd } from './characters'
import { ERROR, MACRO_NAME, PARAMETERS, REDEFINED, report, reportWith, RESERVED_NAME, WARNING } from './faults'
import {
  addParameter,
  BASE_FILE,
  COUNTER,
  entryOf,
  FILE,
  FUNCTION,
  LEVEL,
  LINE,
  Macro,
  noParameters,
  NONE,
  OBJECT,
  parameterCount,
  parameterOf,
} from './macros'
import { Buffer, newBuffer, same } from './memory'

let isVariadic: bool = false
/** The built-in names may be defined anew, and `$` is a letter like others. */
let traditional: bool = false

/** Addresses in the body of the definition that is read where a comment stood: a word ends there. */
let breaks: Buffer | null = null

export function noBreaks(): void {
  if (breaks === null) breaks = newBuffer(64)
  ;(breaks as Buffer).size = 0
}

/** @param offset - Of the text that {@link define} gets. */
export function addBreak(offset: usize): void {
  ;(breaks as Buffer).put32(u32(offset))
}

/** The names that are always there. */
export function defineBuiltIns(isTraditional: bool): void {
  traditional = isTraditional
  builtIn('__LINE__', LINE)
  builtIn('__FILE__', FILE)
  builtIn('__COUNTER__', COUNTER)
  if (!isTraditional) return
  builtIn('__INCLUDE_LEVEL__', LEVEL)
  builtIn('__BASE_FILE__', BASE_FILE)
}

function builtIn(name: string, kind: u32): void {
  const buffer = newBuffer(24)
  for (let i = 0; i < name.length; i++) buffer.put(u8(name.charCodeAt(i)))
  entryOf(buffer.at, buffer.size).kind = kind
}

/** Reads `NAME body` or `NAME(a, b) body`, which stay in memory. Gives false when it is no definition. */
export function define(at: usize, end: usize, frame: u32, line: u32): bool {
  const name = at
  if (at >= end || !(startsWord(load<u8>(at)) || (traditional && isWide(load<u8>(at))))) {
    report(ERROR, MACRO_NAME, at, wordOrOne(at, end))
    return false
  }
  at = wordEnd(at, end)
  while (traditional && at < end && (isWide(load<u8>(at)) || inWord(load<u8>(at)))) at++
  const size = at - name
  if (isReserved(name, size)) {
    report(ERROR, RESERVED_NAME, name, size)
    return false
  }
  noParameters()
  isVariadic = false
  const isFunction = at < end && load<u8>(at) == OPEN
  if (isFunction) {
    at = readParameters(at + 1, end)
    if (at == 0) {
      report(ERROR, PARAMETERS, name, size)
      return false
    }
  }
  at = skipBlanks(at, end)
  const macro = entryOf(name, size)
  replace(macro, isFunction ? FUNCTION : OBJECT, name, at, trimmedEnd(at, end), frame, line)
  return true
}

function isWide(c: u8): bool {
  return c >= 0x80 || c == DOLLAR
}

function replace(macro: Macro, kind: u32, text: usize, body: usize, end: usize, frame: u32, line: u32): void {
  const size = end - body
  const count = parameterCount()
  const isSame =
    macro.kind == kind && macro.parameters == count && macro.bodySize == size && same(macro.body, body, size)
  if (macro.kind != NONE && !isSame)
    reportWith(WARNING, REDEFINED, macro.name, macro.size, macro.frame, macro.line)
  macro.kind = kind
  macro.parameters = count
  macro.isVariadic = isVariadic
  macro.frame = frame
  macro.line = line
  macro.body = body
  macro.bodySize = size
  macro.pieces = count > 0 ? piecesOf(body, end, text) : 0
}

/** The built-in names, and `defined`, which `#if` needs. */
export function isReserved(name: usize, size: usize): bool {
  if (size == 7 && load<u32>(name) == 0x69666564 && load<u32>(name + 3) == 0x64656e69) return true
  return !traditional && entryOf(name, size).kind >= LINE
}

function wordOrOne(at: usize, end: usize): usize {
  const size = wordEnd(at, end) - at
  return size == 0 && at < end ? 1 : size
}

/** Gives where the body begins, or 0. */
function readParameters(at: usize, end: usize): usize {
  at = skipBlanks(at, end)
  if (at < end && load<u8>(at) == CLOSE) return at + 1
  while (true) {
    at = skipBlanks(at, end)
    const name = at
    at = wordEnd(at, end)
    if (!traditional && at == name && at + 3 <= end && load<u16>(at) == 0x2e2e && load<u8>(at + 2) == DOT) {
      isVariadic = true
      at += 3
      addVariadic()
    } else {
      if (at == name || !startsWord(load<u8>(name)) || parameterOf(name, at - name) != 0) return 0
      addParameter(name, at - name)
    }
    at = skipBlanks(at, end)
    if (at >= end) return 0
    const c = load<u8>(at++)
    if (c == CLOSE) return at
    if (c != COMMA || isVariadic) return 0
  }
}

function addVariadic(): void {
  const name = '__VA_ARGS__'
  const buffer = newBuffer(16)
  for (let i = 0; i < name.length; i++) buffer.put(u8(name.charCodeAt(i)))
  addParameter(buffer.at, buffer.size)
}

/** Parameters are found within quotes too; `$name` and what stands in `${…}` are variables of the shell. */
function piecesOf(at: usize, end: usize, text: usize): usize {
  const pieces = newBuffer(48)
  const marks = breaks
  let mark: usize = 0
  let from = at
  while (at < end) {
    const c = load<u8>(at)
    if (c == DOLLAR && !traditional) at = variableEnd(at, end)
    else if (startsWord(c)) {
      let to = wordEnd(at, end)
      if (marks !== null) {
        while (mark < marks.size && text + usize(load<u32>(marks.at + mark)) <= at) mark += 4
        if (mark < marks.size) to = min(to, text + usize(load<u32>(marks.at + mark)))
      }
      const parameter = parameterOf(at, to - at)
      if (parameter != 0) {
        addPiece(pieces, from, at - from, parameter)
        from = to
      }
      at = to
    } else {
      // In a Containerfile a name that begins with a digit is one word; traditional cpp sees the letters behind it.
      const to = traditional ? at : wordEnd(at, end)
      at = to == at ? at + 1 : to
    }
  }
  addPiece(pieces, from, end - from, 0)
  return pieces.at
}

function addPiece(pieces: Buffer, at: usize, size: usize, parameter: u32): void {
  pieces.put32(u32(at))
  pieces.put32(u32(size))
  pieces.put32(parameter)
}

/** Behind `$NAME`, or the `${…}` with all that is nested in it; behind the `$` alone when it is neither. */
export function variableEnd(at: usize, end: usize): usize {
  at++
  if (at >= end) return at
  const c = load<u8>(at)
  if (c == DOLLAR) return wordEnd(at + 1, end)
  if (startsWord(c)) return wordEnd(at, end)
  if (c != 0x7b) return at
  let depth: u32 = 0
  for (let to = at; to < end; to++) {
    const d = load<u8>(to)
    if (d == 0x7b) depth++
    else if (d == 0x7d && --depth == 0) return to + 1
    else if (d == 0x0a) break
  }
  return at
}

/** A definition as `-D` gives it: `NAME`, which is 1, or `NAME=body`. */
export function defineWord(at: usize, size: usize): bool {
  const text = newBuffer(size + 2)
  text.append(at, size)
  const equals = find(text.at, text.end, 0x3d)
  if (equals < text.end) store<u8>(equals, SPACE)
  else {
    text.put(SPACE)
    text.put(0x31)
  }
  return define(text.at, text.end, 0xffffffff, 0)
}
