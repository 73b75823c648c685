/**
 * Knows of each line whether the instruction goes on behind it, and which bodies of `<<NAME` follow. As the reference frontend
 * does it: RUN, COPY and ADD have them, also behind ONBUILD; the name may be quoted.
 */
import { DOUBLE, isBlank, isDigit, LESS, SINGLE, skipBlanks, trimmedEnd, wordEnd } from './characters'
import { allocate, Buffer, newBuffer, same } from './memory'

/** What lines before this one decide. */
@unmanaged
export class Lines {
  continues: bool
  collects: bool
  /** The instruction so far, when it may have heredocs. */
  text: Buffer
}

let escape: u8 = 0x5c
/** Names that are waited for: address, size, and 1 when tabs may stand before it. */
let names: Buffer | null = null
let nextName: usize = 0

export function prepareHeredocs(): void {
  names = newBuffer(64)
  nextName = 0
  escape = 0x5c
}

export function setEscape(c: u8): void {
  escape = c
}

@inline
export function escapeCharacter(): u8 {
  return escape
}

export function newLines(): Lines {
  const lines = changetype<Lines>(allocate(offsetof<Lines>()))
  lines.continues = false
  lines.collects = false
  lines.text = newBuffer(256)
  return lines
}

/** Where the escape character at the end of a line is; 0 when the line does not go on. Blanks may follow it, and no second may precede. */
export function escapeAt(from: usize, end: usize): usize {
  while (end > from && (isBlank(load<u8>(end - 1)) || load<u8>(end - 1) == 0x0d)) end--
  if (end == from || load<u8>(end - 1) != escape) return 0
  return end - 1 == from || load<u8>(end - 2) != escape ? end - 1 : 0
}

/** Takes note of a line that is neither empty nor a comment. True when heredoc bodies follow it. */
export function noteLine(lines: Lines, from: usize, end: usize): bool {
  if (!lines.continues) {
    lines.collects = hasHeredocs(from, end)
    lines.text.size = 0
  }
  const escapes = escapeAt(from, end)
  lines.continues = escapes != 0
  if (!lines.collects) return false
  lines.text.append(from, (escapes != 0 ? escapes : end) - from)
  return escapes == 0 && readNames(lines.text.at, lines.text.end)
}

function hasHeredocs(from: usize, end: usize): bool {
  from = skipBlanks(from, end)
  let to = wordEnd(from, end)
  if (to - from == 7 && folded(from) == 0x75626e6f && (load<u32>(from + 3) | 0x20202020) == 0x646c6975) {
    from = skipBlanks(to, end)
    to = wordEnd(from, end)
  }
  if (to >= end || !isBlank(load<u8>(to))) return false
  const size = to - from
  if (size == 3) return (folded(from) & 0xffffff) == 0x6e7572 || (folded(from) & 0xffffff) == 0x646461
  return size == 4 && folded(from) == 0x79706f63
}

@inline
function folded(at: usize): u32 {
  return load<u32>(at) | 0x20202020
}

/** Finds the words of the form `<<NAME`, `<<-NAME`, `3<<NAME`. */
function readNames(at: usize, end: usize): bool {
  const list = names as Buffer
  list.size = 0
  nextName = 0
  let mark = at
  while (mark + 1 < end && load<u16>(mark) != 0x3c3c) mark++
  if (mark + 1 >= end) return false
  while (at < end) {
    at = skipBlanks(at, end)
    const to = shellWordEnd(at, end)
    readName(at, to)
    at = to
  }
  return list.size > 0
}

/** Behind a word as a shell cuts them; a quote without a partner goes to the end. */
function shellWordEnd(at: usize, end: usize): usize {
  let quote: u8 = 0
  for (; at < end; at++) {
    const c = load<u8>(at)
    if (c == escape && quote != SINGLE) at++
    else if (quote != 0) {
      if (c == quote) quote = 0
    } else if (c == DOUBLE || c == SINGLE) quote = c
    else if (isBlank(c)) return at
  }
  return end
}

function readName(at: usize, end: usize): void {
  while (at < end && isDigit(load<u8>(at))) at++
  if (at + 2 >= end || load<u16>(at) != 0x3c3c) return
  at += 2
  const chomps = load<u8>(at) == 0x2d
  if (chomps) at++
  const name = newBuffer(end - at)
  let quote: u8 = 0
  for (; at < end; at++) {
    const c = load<u8>(at)
    if (c == LESS) return
    if (c == escape && quote != SINGLE) {
      if (++at < end) name.put(load<u8>(at))
    } else if (c == quote) quote = 0
    else if (quote == 0 && (c == DOUBLE || c == SINGLE)) quote = c
    else name.put(c)
  }
  if (name.size == 0) return
  const list = names as Buffer
  list.put32(u32(name.at))
  list.put32(u32(name.size))
  list.put32(u32(chomps))
}

/** Looks at a line of a body; false when the last body ended with it. */
export function bodyGoesOn(from: usize, end: usize): bool {
  const list = names as Buffer
  const entry = list.at + nextName
  if (load<u32>(entry, 8) != 0) while (from < end && load<u8>(from) == 0x09) from++
  if (end > from && load<u8>(end - 1) == 0x0d) end--
  if (end - from == usize(load<u32>(entry, 4)) && same(usize(load<u32>(entry)), from, end - from)) nextName += 12
  return nextName < list.size
}

/** The name that is waited for. */
export function waitedName(): usize {
  return usize(load<u32>((names as Buffer).at + nextName))
}

export function waitedNameSize(): usize {
  return usize(load<u32>((names as Buffer).at + nextName, 4))
}

/** Ends the bodies, for the file has ended. */
export function forgetNames(): void {
  ;(names as Buffer).size = 0
  nextName = 0
}

/** True for a line that is empty or a comment, on which nothing depends. */
export function isIdle(from: usize, end: usize): bool {
  from = skipBlanks(from, trimmedEnd(from, end))
  return from >= end || load<u8>(from) == 0x23 || load<u8>(from) == 0x0d
}
