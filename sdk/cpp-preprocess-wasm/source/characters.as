/** Kinds of bytes, and small words about them. */

export const NEWLINE: u8 = 0x0a
export const RETURN: u8 = 0x0d
export const HASH: u8 = 0x23
export const DOLLAR: u8 = 0x24
export const DOUBLE: u8 = 0x22
export const SINGLE: u8 = 0x27
export const OPEN: u8 = 0x28
export const CLOSE: u8 = 0x29
export const COMMA: u8 = 0x2c
export const BACKSLASH: u8 = 0x5c
export const SLASH: u8 = 0x2f
export const STAR: u8 = 0x2a
export const LESS: u8 = 0x3c
export const GREATER: u8 = 0x3e
export const DOT: u8 = 0x2e
export const SPACE: u8 = 0x20

const START: u8 = 1
const DIGIT: u8 = 2
const BLANK: u8 = 4
/** What the copying of a line stops at. */
const SPECIAL: u8 = 8
const kinds: usize = memory.data(256, 8)

/** Bytes beyond ASCII belong to words in a Containerfile, and not in traditional C. */
export function prepareCharacters(wide: bool, escape: u8): void {
  memory.fill(kinds, 0, 256)
  for (let c: usize = 0; c < 256; c++) {
    let kind: u8 = 0
    const letter = (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a
    if (letter || c == 0x5f || (wide && c >= 0x80)) kind = START | SPECIAL
    else if (c >= 0x30 && c <= 0x39) kind = wide ? DIGIT | SPECIAL : DIGIT
    else if (c == 0x20 || c == 0x09 || c == 0x0b || c == 0x0c || c == 0) kind = BLANK
    else if (c == DOLLAR || c == DOUBLE || c == SINGLE || c == LESS || c == escape) kind = SPECIAL
    else if (!wide && (c == SLASH || c == OPEN || c == CLOSE || c == COMMA || c == GREATER)) kind = SPECIAL
    store<u8>(kinds + c, kind)
  }
}

@inline
export function startsWord(c: u8): bool {
  return (load<u8>(kinds + usize(c)) & START) != 0
}

@inline
export function inWord(c: u8): bool {
  return (load<u8>(kinds + usize(c)) & (START | DIGIT)) != 0
}

@inline
export function isDigit(c: u8): bool {
  return (load<u8>(kinds + usize(c)) & DIGIT) != 0
}

@inline
export function isBlank(c: u8): bool {
  return (load<u8>(kinds + usize(c)) & BLANK) != 0
}

@inline
export function isSpecial(c: u8): bool {
  return (load<u8>(kinds + usize(c)) & SPECIAL) != 0
}

export function skipBlanks(at: usize, end: usize): usize {
  while (at < end && isBlank(load<u8>(at))) at++
  return at
}

/** The end without the blanks before it. */
export function trimmedEnd(at: usize, end: usize): usize {
  while (end > at && isBlank(load<u8>(end - 1))) end--
  return end
}

export function wordEnd(at: usize, end: usize): usize {
  while (at < end && inWord(load<u8>(at))) at++
  return at
}

/** Where `byte` is, or `end`. */
export function find(at: usize, end: usize, byte: u8): usize {
  // Eight bytes at a time: a byte that becomes 0 borrows from its neighbour.
  const pattern = u64(byte) * 0x0101010101010101
  while (at + 8 <= end) {
    const x = load<u64>(at) ^ pattern
    if (((x - 0x0101010101010101) & ~x & 0x8080808080808080) != 0) break
    at += 8
  }
  while (at < end && load<u8>(at) != byte) at++
  return at
}
