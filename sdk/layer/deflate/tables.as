/** What RFC 1951 and 1952 give as tables, made once. */
import {
  DISTANCE_BASES,
  DISTANCE_EXTRAS,
  DISTANCE_SYMBOLS,
  DISTANCES,
  LENGTH_BASES,
  LENGTH_EXTRAS,
  LENGTH_SYMBOLS,
  REMAINDERS,
} from './memory'

export function makeTables(): void {
  makeLengths()
  makeDistances()
  makeRemainders()
}

/** Symbols 257 to 285, RFC 1951, 3.2.5: 28 steps, then 258 by itself. */
function makeLengths(): void {
  let length: u32 = 0
  for (let i: u32 = 0; i < 28; i++) {
    const extra: u32 = i < 8 ? 0 : (i >>> 2) - 1
    store<u16>(LENGTH_BASES + (i << 1), length)
    store<u8>(LENGTH_EXTRAS + i, extra)
    for (let n: u32 = 0; n < 1 << extra; n++) if (length < 256) store<u8>(LENGTH_SYMBOLS + length++, i)
  }
  store<u16>(LENGTH_BASES + (28 << 1), 255)
  store<u8>(LENGTH_EXTRAS + 28, 0)
  store<u8>(LENGTH_SYMBOLS + 255, 28)
}

function makeDistances(): void {
  let distance: u32 = 0
  for (let i: u32 = 0; i < DISTANCES; i++) {
    const extra: u32 = i < 4 ? 0 : (i >>> 1) - 1
    store<u16>(DISTANCE_BASES + (i << 1), distance)
    store<u8>(DISTANCE_EXTRAS + i, extra)
    for (let n: u32 = 0; n < 1 << extra; n++, distance++)
      if (distance < 256) store<u8>(DISTANCE_SYMBOLS + distance, i)
      else if ((distance & 127) == 0) store<u8>(DISTANCE_SYMBOLS + 256 + (distance >>> 7), i)
  }
}

/** The polynomial of RFC 1952, section 8. */
function makeRemainders(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let remainder = i
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
    store<u32>(REMAINDERS + (i << 2), remainder)
  }
  for (let i: u32 = 256; i < 2048; i++) {
    const before = load<u32>(REMAINDERS + ((i - 256) << 2))
    store<u32>(REMAINDERS + (i << 2), (before >>> 8) ^ load<u32>(REMAINDERS + ((before & 255) << 2)))
  }
}
