/** Writes a part of a block: its tokens with codes made for them, or its bytes as they are. RFC 1951, 3.2. */
import { makeCodes } from './codes'
import {
  ALL_LENGTHS,
  DISTANCE_BASES,
  DISTANCE_CODES,
  DISTANCE_COUNTS,
  DISTANCE_EXTRAS,
  DISTANCE_SYMBOLS,
  DISTANCES,
  LENGTH_BASES,
  LENGTH_CODES,
  LENGTH_COUNTS,
  LENGTH_EXTRAS,
  LENGTH_SYMBOLS,
  LENGTHS,
  LITERAL_CODES,
  LITERAL_COUNTS,
  LITERALS,
  RUNS,
  TOKENS,
  WHOLE_LENGTH_CODES,
} from './memory'

let output: usize = 0
let bits: u64 = 0
let held: u64 = 0

export function startOutput(at: usize): void {
  output = at
  bits = 0
  held = 0
}

/** An empty stored part, so that the block ends at a whole byte, and gives where the output ends. */
export function endOutput(): usize {
  put(0, 3)
  align()
  store<u32>(output, 0xffff0000)
  output += 4
  return output
}

/** Adds up to 56 bits. */
@inline
function put(value: u64, count: u64): void {
  bits |= value << held
  held += count
  store<u64>(output, bits)
  output += usize(held >>> 3)
  bits >>>= held & ~7
  held &= 7
}

function align(): void {
  if (held > 0) output++
  bits = 0
  held = 0
}

/** @param end - Behind the last token. `from` and `size` are the bytes that the tokens stand for. */
export function writePart(end: usize, from: usize, size: u32): void {
  store<u32>(LITERAL_COUNTS + 256 * 4, 1)
  makeCodes(LITERAL_COUNTS, LITERAL_CODES, LITERALS, 15)
  makeCodes(DISTANCE_COUNTS, DISTANCE_CODES, DISTANCES, 15)
  const literals = shortened(LITERAL_CODES, LITERALS, 257)
  const distances = shortened(DISTANCE_CODES, DISTANCES, 1)
  const runs = packLengths(literals, distances)
  makeCodes(LENGTH_COUNTS, LENGTH_CODES, LENGTHS, 7)
  const stored = (size + 5 * (size / 0xffff + 1)) * 8
  if (cost(LITERAL_COUNTS, LITERAL_CODES, LITERALS) + cost(DISTANCE_COUNTS, DISTANCE_CODES, DISTANCES) >= stored)
    writeStored(from, size)
  else {
    writeHeader(literals, distances, runs)
    writeTokens(end)
  }
  memory.fill(LITERAL_COUNTS, 0, LITERALS << 2)
  memory.fill(DISTANCE_COUNTS, 0, DISTANCES << 2)
}

/** How many symbols there are without those at the end that have no code. */
function shortened(codes: usize, symbols: u32, least: u32): u32 {
  let count = symbols
  while (count > least && load<u32>(codes + ((count - 1) << 2)) == 0) count--
  return count
}

/** Bits for all symbols, extra ones counted. */
function cost(counts: usize, codes: usize, symbols: u32): u32 {
  let sum: u32 = 0
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    let extra: u32 = 0
    if (symbols == DISTANCES) extra = load<u8>(DISTANCE_EXTRAS + symbol)
    else if (symbol > 256) extra = load<u8>(LENGTH_EXTRAS + symbol - 257)
    sum += load<u32>(counts + (symbol << 2)) * ((load<u32>(codes + (symbol << 2)) >>> 24) + extra)
  }
  return sum
}

function writeStored(from: usize, size: u32): void {
  for (let done: u32 = 0; done < size; ) {
    const step = min<u32>(size - done, 0xffff)
    put(0, 3)
    align()
    store<u16>(output, step)
    store<u16>(output + 2, ~step)
    memory.copy(output + 4, from + done, step)
    output += 4 + step
    done += step
  }
}

/** The lengths of all codes as symbols of the third kind: 16 repeats the last, 17 and 18 are runs of zeros. */
function packLengths(literals: u32, distances: u32): u32 {
  for (let i: u32 = 0; i < literals; i++) store<u8>(ALL_LENGTHS + i, load<u8>(LITERAL_CODES + (i << 2) + 3))
  for (let i: u32 = 0; i < distances; i++)
    store<u8>(ALL_LENGTHS + literals + i, load<u8>(DISTANCE_CODES + (i << 2) + 3))
  memory.fill(LENGTH_COUNTS, 0, LENGTHS << 2)
  const all = literals + distances
  let runs: u32 = 0
  for (let at: u32 = 0; at < all; ) {
    const length = load<u8>(ALL_LENGTHS + at)
    let same: u32 = 1
    while (at + same < all && load<u8>(ALL_LENGTHS + at + same) == length) same++
    at += same
    if (length != 0) {
      addRun(runs++, length, 0)
      same--
    }
    while (same > 2) {
      const most: u32 = length != 0 ? 6 : 138
      const step = min(same, most)
      if (length != 0) addRun(runs++, 16, step - 3)
      else if (step < 11) addRun(runs++, 17, step - 3)
      else addRun(runs++, 18, step - 11)
      same -= step
    }
    for (; same > 0; same--) addRun(runs++, length, 0)
  }
  return runs
}

function addRun(place: u32, symbol: u32, extra: u32): void {
  store<u32>(RUNS + (place << 2), symbol | (extra << 8))
  const count = LENGTH_COUNTS + (symbol << 2)
  store<u32>(count, load<u32>(count) + 1)
}

/** The order of RFC 1951, 3.2.7. */
function inOrder(i: u32): u32 {
  if (i < 3) return 16 + i
  if (i == 3) return 0
  return i & 1 ? 8 - ((i - 3) >>> 1) : 8 + ((i - 4) >>> 1)
}

function writeHeader(literals: u32, distances: u32, runs: u32): void {
  let lengths = LENGTHS
  while (lengths > 4 && load<u32>(LENGTH_CODES + (inOrder(lengths - 1) << 2)) == 0) lengths--
  put(4, 3)
  put((literals - 257) | ((distances - 1) << 5) | ((lengths - 4) << 10), 14)
  for (let i: u32 = 0; i < lengths; i++) put(load<u8>(LENGTH_CODES + (inOrder(i) << 2) + 3), 3)
  for (let i: u32 = 0; i < runs; i++) {
    const run = load<u32>(RUNS + (i << 2))
    const symbol = run & 255
    const code = load<u32>(LENGTH_CODES + (symbol << 2))
    put(code & 0xffffff, code >>> 24)
    if (symbol > 15) put(run >>> 8, symbol == 16 ? 2 : symbol == 17 ? 3 : 7)
  }
}

function writeTokens(end: usize): void {
  for (let length: u32 = 0; length < 256; length++) {
    const symbol = load<u8>(LENGTH_SYMBOLS + length)
    const code = load<u32>(LITERAL_CODES + ((257 + u32(symbol)) << 2))
    const extra = length - load<u16>(LENGTH_BASES + (u32(symbol) << 1))
    const count = code >>> 24
    const whole = (code & 0xffffff) | (extra << count)
    store<u32>(WHOLE_LENGTH_CODES + (length << 2), whole | ((count + load<u8>(LENGTH_EXTRAS + symbol)) << 24))
  }
  for (let at = TOKENS; at < end; at += 4) {
    const token = load<u32>(at)
    if (i32(token) >= 0) {
      const code = load<u32>(LITERAL_CODES + (token << 2))
      put(code & 0xffffff, code >>> 24)
    } else {
      const length = load<u32>(WHOLE_LENGTH_CODES + ((token >>> 14) & 0x3fc))
      const distance = token & 0x7fff
      const symbol = u32(distanceSymbol(distance))
      const code = load<u32>(DISTANCE_CODES + (symbol << 2))
      let value: u64 = length & 0xffffff
      let count: u64 = length >>> 24
      value |= u64(code & 0xffffff) << count
      count += code >>> 24
      value |= u64(distance - load<u16>(DISTANCE_BASES + (symbol << 1))) << count
      put(value, count + load<u8>(DISTANCE_EXTRAS + symbol))
    }
  }
  const code = load<u32>(LITERAL_CODES + 256 * 4)
  put(code & 0xffffff, code >>> 24)
}

@inline
export function distanceSymbol(distance: u32): u8 {
  return load<u8>(DISTANCE_SYMBOLS + usize(distance < 256 ? distance : 256 + (distance >>> 7)))
}
