/** What the lines that begin with `#` do, in both modes. The text of a directive comes without line ends. */
import { find, GREATER, isBlank, LESS, skipBlanks, startsWord, trimmedEnd, wordEnd } from './characters'
import { define, isReserved } from './definition'
import { evaluate } from './expression'
import {
  AFTER_ELSE,
  at,
  ERROR,
  EXTRA_TEXT,
  FATAL,
  INCLUDE_FORM,
  INCLUDE_MISSING,
  MACRO_NAME,
  NO_IF,
  ONCE_IN_MAIN,
  report,
  reportWith,
  RESERVED_NAME,
  SAID_ERROR,
  SAID_WARNING,
  WARNING,
} from './faults'
import { closeCondition, current, Frame, isGuarded, nextGroup, openCondition, push, skipping } from './frames'
import { entryOf, lookUp, Macro, NONE } from './macros'
import { Buffer, kept, newBuffer } from './memory'

export const DEFINE: u32 = 1
export const UNDEF: u32 = 2
export const INCLUDE: u32 = 3
export const IF: u32 = 4
export const IFDEF: u32 = 5
export const IFNDEF: u32 = 6
export const ELIF: u32 = 7
export const ELIFDEF: u32 = 8
export const ELIFNDEF: u32 = 9
export const ELSE: u32 = 10
export const ENDIF: u32 = 11
export const STOP: u32 = 12
export const WARN: u32 = 13
export const PRAGMA: u32 = 14
/** From here on only the traditional mode knows them. */
export const IMPORT: u32 = 15
export const LINE_DIRECTIVE: u32 = 16
export const IDENT: u32 = 17
export const SCCS: u32 = 18
export const INCLUDE_NEXT: u32 = 19
export const ASSERT: u32 = 20
export const UNASSERT: u32 = 21

/** The name of an include that waits for the host: quoted 1, angled 2; 0 when none waits. */
export let wantedKind: u32 = 0
export let wantedName: usize = 0
export let wantedSize: usize = 0
let wantedLine: u32 = 0
let wantedOnce: bool = false
/** A byte for each file: it is read only once. */
let once: Buffer | null = null

export function prepareDirectives(): void {
  wantedKind = 0
  prepareNames()
  once = newBuffer(64)
}

/** For each directive its size and its first 8 bytes; 16 bytes each. Longer ones are told by these and the size. */
const names: usize = memory.data(16 * 21, 8)

function prepareNames(): void {
  const words =
    'define undef include if ifdef ifndef elif elifdef elifndef else endif error warning pragma import line ident sccs include_next assert unassert '
  let entry = names
  let size: usize = 0
  memory.fill(names, 0, 16 * 21)
  for (let i = 0; i < words.length; i++) {
    const c = words.charCodeAt(i)
    if (c == 0x20) {
      store<u64>(entry, u64(size))
      entry += 16
      size = 0
    } else {
      if (size < 8) store<u8>(entry + 8 + size, u8(c))
      size++
    }
  }
}

/** The number of a directive, or 0. */
export function directiveOf(word: usize, size: usize): u32 {
  if (size < 2 || size > 12) return 0
  let first: u64 = 0
  for (let i: usize = min<usize>(size, 8); i > 0; i--) first = (first << 8) | u64(load<u8>(word + i - 1))
  for (let n: u32 = 0; n < 21; n++) {
    const entry = names + (usize(n) << 4)
    if (load<u64>(entry, 8) != first || load<u64>(entry) != u64(size)) continue
    return size <= 8 || isNext(word) ? n + 1 : 0
  }
  return 0
}

/** The end of `include_next`, the one that 8 bytes do not tell. */
function isNext(word: usize): bool {
  return load<u32>(word + 8) == 0x7478656e
}

/** True for what must be looked at also in text that is left out. */
export function isConditional(kind: u32): bool {
  return kind >= IF && kind <= ENDIF
}

/** False for an `#if` or `#elif` whose expression decides nothing. */
export function isEvaluated(kind: u32): bool {
  if (kind == IF) return !skipping
  const condition = current().condition
  return condition !== null && !condition.isDone
}

/** Carries out a directive. `word` is its name, and what follows ends at `end` without blanks. */
export function carryOut(kind: u32, word: usize, from: usize, end: usize, line: u32): void {
  const frame = current()
  const words = skipBlanks(from, end)
  end = trimmedEnd(words, end)
  at(frame.number, line)
  if (isConditional(kind)) return conditional(kind, word, words, end, line)
  if (skipping) return
  if (kind == DEFINE) define(words, end, frame.number, line)
  else if (kind == UNDEF) undefine(words, end)
  else if (kind == INCLUDE || kind == IMPORT) include(words, end, line, kind == IMPORT)
  else if (kind == STOP) report(ERROR, SAID_ERROR, words, end - words)
  else if (kind == WARN) report(WARNING, SAID_WARNING, words, end - words)
}

function conditional(kind: u32, word: usize, words: usize, end: usize, line: u32): void {
  if (kind <= IFNDEF) {
    const taken = skipping || (kind == IF ? evaluate(words, end) : isNamed(kind == IFDEF, words, end))
    return openCondition(!skipping && taken, line, kind == IFDEF ? null : guardIn(kind, words, end))
  }
  const condition = current().condition
  if (condition === null) return report(ERROR, NO_IF, word, wordEnd(word, end) - word)
  if (kind == ENDIF) {
    if (!condition.wasSkipping) nothingMore(words, end)
    return closeCondition(condition)
  }
  if (condition.hadElse)
    reportWith(ERROR, AFTER_ELSE, word, wordEnd(word, end) - word, current().number, condition.line)
  let taken = true
  if (kind == ELSE) {
    if (!condition.wasSkipping) nothingMore(words, end)
  } else if (!condition.isDone)
    taken = kind == ELIF ? evaluate(words, end) : isNamed(kind == ELIFDEF, words, end)
  nextGroup(condition, taken, kind == ELSE)
}

/** The name of `#ifndef NAME`, `#if !defined NAME` and `#if !defined(NAME)`. */
function guardIn(kind: u32, from: usize, end: usize): Macro | null {
  let open = false
  if (kind == IF) {
    if (from >= end || load<u8>(from) != 0x21) return null
    from = skipBlanks(from + 1, end)
    const to = wordEnd(from, end)
    if (to - from != 7 || load<u32>(from) != 0x69666564 || load<u32>(from + 3) != 0x64656e69) return null
    from = skipBlanks(to, end)
    open = from < end && load<u8>(from) == 0x28
    if (open) from = skipBlanks(from + 1, end)
  }
  const to = wordEnd(from, end)
  let last = skipBlanks(to, end)
  if (open) {
    if (last >= end || load<u8>(last) != 0x29) return null
    last = skipBlanks(last + 1, end)
  }
  if (to == from || (kind == IF && last < end)) return null
  return entryOf(kept(from, to - from), to - from)
}

/** Whether a name is defined as it should be; false when there is no name. */
function isNamed(wanted: bool, words: usize, end: usize): bool {
  const to = macroName(words, end)
  if (to == 0) return false
  nothingMore(to, end)
  return (lookUp(words, to - words) !== null) == wanted
}

/** The end of the macro's name that is there; 0, and said, when there is none. */
function macroName(words: usize, end: usize): usize {
  if (words < end && startsWord(load<u8>(words))) return wordEnd(words, end)
  const size = wordEnd(words, end) - words
  report(ERROR, MACRO_NAME, words, size == 0 && words < end ? 1 : size)
  return 0
}

function undefine(words: usize, end: usize): void {
  const to = macroName(words, end)
  if (to == 0) return
  if (isReserved(words, to - words)) return report(ERROR, RESERVED_NAME, words, to - words)
  nothingMore(to, end)
  entryOf(kept(words, to - words), to - words).kind = NONE
}

export function undefineWord(word: usize, size: usize): void {
  if (!isReserved(kept(word, size), size)) entryOf(kept(word, size), size).kind = NONE
}

/** Comments may follow. */
export function nothingMore(words: usize, end: usize): void {
  let from = skipBlanks(words, end)
  while (from + 1 < end && load<u16>(from) == 0x2a2f) {
    from += 2
    while (from + 1 < end && load<u16>(from) != 0x2f2a) from++
    from = skipBlanks(min(from + 2, end), end)
  }
  if (from < end) report(WARNING, EXTRA_TEXT, from, end - from)
}

function include(words: usize, end: usize, line: u32, isOnce: bool): void {
  const open = words < end ? load<u8>(words) : 0
  const close = open == LESS ? GREATER : open
  const to = open == 0x22 || open == LESS ? find(words + 1, end, close) : end
  if (to >= end || to == words + 1) return report(ERROR, INCLUDE_FORM, words, end - words)
  nothingMore(to + 1, end)
  wantedKind = open == LESS ? 2 : 1
  wantedSize = to - words - 1
  wantedName = kept(words + 1, wantedSize)
  wantedLine = line
  wantedOnce = isOnce
}

/** True for a file that is not to be read again. */
export function isReadOnce(file: u32): bool {
  const flags = once as Buffer
  return (usize(file) < flags.size && load<u8>(flags.at + usize(file)) != 0) || isGuarded(file)
}

/** The host's answer to a wanted include. False when the file is not read. */
export function provideWanted(file: u32, text: usize, size: usize, name: usize, nameSize: usize): bool {
  wantedKind = 0
  if (isReadOnce(file)) return false
  if (wantedOnce) neverAgain(file)
  at(current().number, wantedLine)
  return push(file, text, size, name, nameSize, wantedLine)
}

function neverAgain(file: u32): void {
  const flags = once as Buffer
  while (flags.size <= usize(file)) flags.put(0)
  store<u8>(flags.at + usize(file), 1)
}

export function missWanted(): void {
  at(current().number, wantedLine)
  wantedKind = 0
  report(FATAL, INCLUDE_MISSING, wantedName, wantedSize)
}

/** `#pragma once`: what follows is the word `once`, and nothing else. */
export function isOncePragma(words: usize, end: usize): bool {
  words = skipBlanks(words, end)
  end = trimmedEnd(words, end)
  return end - words == 4 && load<u32>(words) == 0x65636e6f
}

export function readOnce(frame: Frame): void {
  if (frame.below === null) report(WARNING, ONCE_IN_MAIN)
  neverAgain(frame.file)
}

/** A word of a directive must not go on as another one does. */
export function endsWord(kind: u32, next: usize, end: usize): bool {
  if (next >= end) return true
  const c = load<u8>(next)
  if (isBlank(c)) return true
  if (kind == IF || kind == ELIF) return c == 0x28 || c == 0x21
  if (kind == INCLUDE) return c == 0x22 || c == LESS
  if (kind == ELSE || kind == ENDIF) return c == 0x2f
  return false
}
