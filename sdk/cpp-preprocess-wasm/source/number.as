/** Integer and character constants. C17, 6.4.4. */
import { isDigit } from './characters'
import { BAD_CHARACTER, NOT_INTEGER, report, SO_LARGE, TOO_LARGE, WARNING } from './faults'

@unmanaged
export class Constant {
  value: i64
  /** What is wrong with it, or 0. */
  code: u32
}

const constant: usize = memory.data(16, 8)
let isUnsigned: bool = false
/** Traditional C knows no number that is unsigned for its size alone. */
let keepsSign: bool = false

export function prepareNumbers(isTraditional: bool): void {
  keepsSign = isTraditional
}

/** Whether the number that was read last has no sign. */
export function isUnsignedNumber(): bool {
  return isUnsigned
}

function given(value: i64, code: u32): Constant {
  const result = changetype<Constant>(constant)
  result.value = value
  result.code = code
  return result
}

export function readNumber(at: usize, end: usize): Constant {
  let base: u64 = 10
  if (load<u8>(at) == 0x30 && at + 1 < end) {
    const c = load<u8>(at + 1) | 0x20
    if (c == 0x78 || c == 0x62) {
      base = c == 0x78 ? 16 : 2
      at += 2
      if (at >= end) return given(0, NOT_INTEGER)
    } else base = 8
  }
  const first = at
  let value: u64 = 0
  let tooLarge = false
  for (; at < end; at++) {
    const digit = digitOf(load<u8>(at), base)
    if (digit >= base) break
    if (value > (u64.MAX_VALUE - digit) / base) tooLarge = true
    value = value * base + digit
  }
  if (at == first) return given(0, NOT_INTEGER)
  if (!isSuffix(at, end)) return given(0, NOT_INTEGER)
  if (tooLarge) report(WARNING, TOO_LARGE)
  if (!isUnsigned && !keepsSign && i64(value) < 0) {
    if (base == 10 && !tooLarge) report(WARNING, SO_LARGE)
    isUnsigned = true
  }
  return given(i64(value), 0)
}

function digitOf(c: u8, base: u64): u64 {
  if (isDigit(c)) return u64(c) - 0x30
  const letter = c | 0x20
  return base == 16 && letter >= 0x61 && letter <= 0x66 ? u64(letter) - 0x57 : u64.MAX_VALUE
}

/** u, l, ll and both, in any order; the two l alike. */
function isSuffix(at: usize, end: usize): bool {
  let us: u32 = 0
  let ls: u32 = 0
  isUnsigned = false
  for (; at < end; at++) {
    const c = load<u8>(at)
    if ((c | 0x20) == 0x75) us++
    else if ((c | 0x20) == 0x6c) {
      ls++
      if (at + 1 < end && load<u8>(at + 1) == c) {
        ls++
        at++
      }
      // `lul` has its two l apart.
      if (ls > 2 || (ls == 2 && load<u8>(at - 1) != c)) return false
    } else return false
  }
  isUnsigned = us == 1
  return us <= 1 && ls <= 2
}

/** What stands between the quotes. One byte has the sign of a char, several make an int. */
export function readCharacter(at: usize, end: usize, isClosed: bool): Constant {
  if (!isClosed || at >= end) return given(0, BAD_CHARACTER)
  let value: u32 = 0
  let count: u32 = 0
  while (at < end) {
    let c = u32(load<u8>(at++))
    if (c == 0x5c && at < end) {
      c = u32(load<u8>(at++))
      if (c >= 0x30 && c <= 0x37) {
        c -= 0x30
        for (let more = 0; more < 2 && at < end && (load<u8>(at) & 0xf8) == 0x30; more++)
          c = (c << 3) | (u32(load<u8>(at++)) - 0x30)
      } else if (c == 0x78) {
        c = 0
        while (at < end && digitOf(load<u8>(at), 16) < 16) c = (c << 4) | u32(digitOf(load<u8>(at++), 16))
      } else c = escaped(c)
    }
    value = (value << 8) | (c & 0xff)
    count++
  }
  return given(count == 1 ? i64(i8(value)) : i64(i32(value)), 0)
}

function escaped(c: u32): u32 {
  if (c == 0x6e) return 10
  if (c == 0x74) return 9
  if (c == 0x72) return 13
  if (c == 0x62) return 8
  if (c == 0x66) return 12
  if (c == 0x76) return 11
  if (c == 0x61) return 7
  if (c == 0x65 || c == 0x45) return 27
  return c
}
