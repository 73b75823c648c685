/**
 * Knows of each line whether the instruction goes on behind it, and which bodies of `<<NAME` follow. As the reference frontend
 * does it: RUN, COPY and ADD have them, also behind ONBUILD; the name may be quoted, and ends where a shell's word would.
 */
import { BACKSLASH, CLOSE, DOUBLE, find, GREATER, isBlank, isDigit, LESS, OPEN, SINGLE, skipBlanks, trimmedEnd, wordEnd } from './characters'
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

/** Finds the marks `<<NAME`, `<<-NAME`, `3<<NAME`: they begin a word, and do not stand in quotes. */
function readNames(at: usize, end: usize): bool {
  const list = names as Buffer
  list.size = 0
  nextName = 0
  let mark = at
  while (mark + 1 < end && load<u16>(mark) != 0x3c3c) mark++
  if (mark + 1 >= end) return false
  while (at < end) {
    at = skipBlanks(at, end)
    let to = readName(at, end)
    if (to == 0) to = shellWordEnd(at, end)
    if (to == 0) {
      // Quotes that are never closed: there are no heredocs then.
      list.size = 0
      return false
    }
    at = to
  }
  return list.size > 0
}

/** Behind a word as a shell cuts them; 0 when a quote in it is not closed. */
function shellWordEnd(at: usize, end: usize): usize {
  const from = at
  while (at < end && !isBlank(load<u8>(at))) {
    const c = load<u8>(at)
    if (c == BACKSLASH) at += 2
    else if (c == DOUBLE || c == SINGLE) {
      at++
      while (at < end && load<u8>(at) != c) at += load<u8>(at) == BACKSLASH && c == DOUBLE ? 2 : 1
      if (at >= end) return 0
      at++
    } else at++
  }
  return max(min(at, end), from + 1)
}

/** Adds the name of a mark and gives where the mark ends; 0 when there is none. */
function readName(at: usize, end: usize): usize {
  while (at < end && isDigit(load<u8>(at))) at++
  if (at + 1 >= end || load<u16>(at) != 0x3c3c) return 0
  at += 2
  if (at < end && load<u8>(at) == LESS) return 0
  const chomps = at < end && load<u8>(at) == 0x2d
  at = skipBlanks(chomps ? at + 1 : at, end)
  const name = newBuffer(32)
  while (at < end && !endsName(load<u8>(at))) {
    const c = load<u8>(at)
    if (c == DOUBLE || c == SINGLE) {
      const close = find(at + 1, end, c)
      if (close >= end) return 0
      name.append(at + 1, close - at - 1)
      at = close
    } else if (c != BACKSLASH || ++at < end) name.put(load<u8>(at))
    at++
  }
  if (name.size > 0) {
    const list = names as Buffer
    list.put32(u32(name.at))
    list.put32(u32(name.size))
    list.put32(u32(chomps))
  }
  return min(at, end)
}

/** As in the shell. */
function endsName(c: u8): bool {
  return isBlank(c) || c == 0x3b || c == 0x26 || c == 0x7c || c == LESS || c == GREATER || c == OPEN || c == CLOSE
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
