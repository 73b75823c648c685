/**
 * DEFLATE, RFC 1951, for blocks of up to 1 MiB. The same bytes on every machine: all of it is whole numbers, and nothing of
 * one call is left to the next.
 */
import {
  CHAINS,
  DISTANCE_COUNTS,
  DISTANCES,
  HASH_BITS,
  HEADS,
  INPUT,
  LENGTH_SYMBOLS,
  LITERAL_COUNTS,
  LITERALS,
  OUTPUT,
  PART,
  REMAINDERS,
  TOKENS,
  WINDOW,
} from './memory'
import { distanceSymbol, endOutput, startOutput, writePart } from './part'
import { makeTables } from './tables'

makeTables()

/** Where the host writes the window and the block. */
export function input(): usize {
  return INPUT
}

/** Where it finds what `deflate` has made. */
export function output(): usize {
  return OUTPUT
}

/** The checksum of RFC 1952 of the block that stands behind `before` bytes of the window. */
export function crc32(before: u32, size: u32): u32 {
  let crc: u32 = 0xffffffff
  let at = INPUT + before
  const end = at + size
  for (; at + 8 <= end; at += 8) {
    const low = load<u32>(at) ^ crc
    const high = load<u32>(at, 4)
    crc =
      remainder(7, low) ^
      remainder(6, low >>> 8) ^
      remainder(5, low >>> 16) ^
      remainder(4, low >>> 24) ^
      remainder(3, high) ^
      remainder(2, high >>> 8) ^
      remainder(1, high >>> 16) ^
      remainder(0, high >>> 24)
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ remainder(0, crc ^ load<u8>(at))
  return ~crc
}

@inline
function remainder(table: u32, byte: u32): u32 {
  return load<u32>(REMAINDERS + (table << 10) + ((byte & 255) << 2))
}

/** How hard to look for repetitions. */
let depth: u32 = 0
let nice: u32 = 0
let lazy: bool = false

function setLevel(level: u32): void {
  depth = level < 2 ? 1 : level < 4 ? 1 << (level - 1) : level < 9 ? 1 << (level - 2) : 256
  nice = level < 4 ? 32 : level < 7 ? 64 : 258
  lazy = level > 4
}

/**
 * Compresses the block behind `before` bytes of the window, and gives how many bytes `output` has. They end at a whole
 * byte and are not the end of a stream.
 */
export function deflate(before: u32, size: u32, level: u32): u32 {
  setLevel(level)
  memory.fill(HEADS, 0, 4 << HASH_BITS)
  memory.fill(LITERAL_COUNTS, 0, LITERALS << 2)
  memory.fill(DISTANCE_COUNTS, 0, DISTANCES << 2)
  startOutput(OUTPUT)
  const start = INPUT + before
  const end = start + size
  // Eight bytes behind the end are read, and must not differ from one call to the next.
  store<u64>(end, 0)
  for (let at = INPUT; at < start; at++) remember(at)
  let at = start
  while (at < end) at = deflatePart(at, end)
  return u32(endOutput() - OUTPUT)
}

@inline
function hash(at: usize): u32 {
  return (load<u32>(at) * 0x9e3779b1) >>> (32 - HASH_BITS)
}

/** Makes a position known, and gives the one before with the same hash, or 0. */
@inline
function remember(at: usize): usize {
  const head = HEADS + (hash(at) << 2)
  const before = load<u32>(head)
  store<u32>(head, u32(at))
  store<u32>(CHAINS + ((u32(at) & (u32(WINDOW) - 1)) << 2), before)
  return before
}

/** The longest repetition at a position: its length, and `found` is where it was before. */
let found: usize = 0

@inline
function search(at: usize, candidate: usize, end: usize, least: u32): u32 {
  const most = u32(min<usize>(end - at, 258))
  let best = least
  if (most <= best) return 0
  const oldest = at - WINDOW
  let isBetter = false
  for (let left = depth; left > 0 && candidate != 0 && candidate >= oldest; left--) {
    if (load<u32>(candidate + best - 3) == load<u32>(at + best - 3) && load<u32>(candidate) == load<u32>(at)) {
      const length = same(candidate, at, most)
      if (length > best) {
        best = length
        found = candidate
        isBetter = true
        if (length >= nice || length == most) break
      }
    }
    const next: usize = load<u32>(CHAINS + ((u32(candidate) & (u32(WINDOW) - 1)) << 2))
    if (next >= candidate) break
    candidate = next
  }
  return isBetter ? best : 0
}

@inline
function same(one: usize, other: usize, most: u32): u32 {
  let length: u32 = 4
  while (length < most) {
    const differing = load<u64>(one + length) ^ load<u64>(other + length)
    if (differing != 0) {
      length += u32(ctz(differing) >>> 3)
      break
    }
    length += 8
  }
  return min(length, most)
}

let token: usize = 0

@inline
function addLiteral(at: usize): void {
  const literal: u32 = load<u8>(at)
  store<u32>(token, literal)
  token += 4
  const count = LITERAL_COUNTS + (literal << 2)
  store<u32>(count, load<u32>(count) + 1)
}

@inline
function addMatch(length: u32, distance: u32): void {
  store<u32>(token, 0x80000000 | ((length - 3) << 16) | (distance - 1))
  token += 4
  const ofLength = LITERAL_COUNTS + 257 * 4 + (u32(load<u8>(LENGTH_SYMBOLS + length - 3)) << 2)
  store<u32>(ofLength, load<u32>(ofLength) + 1)
  const ofDistance = DISTANCE_COUNTS + (u32(distanceSymbol(distance - 1)) << 2)
  store<u32>(ofDistance, load<u32>(ofDistance) + 1)
}

function deflatePart(from: usize, end: usize): usize {
  token = TOKENS
  // A match adds one token after up to 32 literals that were skipped over.
  const lastToken = TOKENS + ((PART - 64) << 2)
  let at = from
  let sinceMatch = at
  while (at < end && token < lastToken) {
    let length = search(at, remember(at), end, 3)
    if (length == 0) {
      addLiteral(at++)
      // Where nothing repeats for long, look at fewer places.
      for (let skip = min<usize>((at - sinceMatch) >>> 8, 32); skip > 0 && at < end; skip--) addLiteral(at++)
      continue
    }
    let place = found
    if (lazy)
      while (length < nice && at + 1 < end) {
        const later = search(at + 1, remember(at + 1), end, length)
        if (later == 0) break
        addLiteral(at++)
        length = later
        place = found
      }
    addMatch(length, u32(at - place))
    const next = at + length
    const known: usize = lazy && at + 1 < end ? at + 2 : at + 1
    if (depth > 1) for (let i = known; i < next; i++) remember(i)
    else {
      remember(next - 1)
    }
    at = next
    sinceMatch = at
  }
  writePart(token, from, u32(at - from))
  return at
}
