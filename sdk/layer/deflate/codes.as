/** Huffman codes of a limited length, RFC 1951, 3.2.2. */
import { KEYS, OF_LENGTH, WEIGHTS } from './memory'

/**
 * Makes codes for symbols that occur. At least two get one, for some readers take no code that leaves bits over.
 * `codes` gets a symbol's bits, in the order of writing, and their number above bit 24; 0 where it does not occur.
 */
export function makeCodes(counts: usize, codes: usize, symbols: u32, limit: u32): void {
  const used = sortByCount(counts, symbols)
  treeDepths(used)
  limitLengths(used, limit)
  memory.fill(codes, 0, symbols << 2)
  let at: u32 = 0
  for (let length = limit; length > 0; length--)
    for (let left = load<u32>(OF_LENGTH + (length << 2)); left > 0; left--) {
      const symbol = load<u32>(KEYS + (at++ << 2)) & 0x1ff
      store<u32>(codes + (symbol << 2), length << 24)
    }
  numberCodes(codes, symbols, limit)
}

/** Fills KEYS and WEIGHTS from the rarest symbol on, and gives how many there are. */
function sortByCount(counts: usize, symbols: u32): u32 {
  let used: u32 = 0
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count = load<u32>(counts + (symbol << 2))
    if (count > 0) insert(used++, (count << 9) | symbol)
  }
  for (let symbol: u32 = 0; used < 2; symbol++)
    if (load<u32>(counts + (symbol << 2)) == 0) insert(used++, (1 << 9) | symbol)
  for (let i: u32 = 0; i < used; i++) store<u32>(WEIGHTS + (i << 2), load<u32>(KEYS + (i << 2)) >>> 9)
  return used
}

function insert(used: u32, key: u32): void {
  let at = used
  for (; at > 0; at--) {
    const before = load<u32>(KEYS + ((at - 1) << 2))
    if (before <= key) break
    store<u32>(KEYS + (at << 2), before)
  }
  store<u32>(KEYS + (at << 2), key)
}

@inline
function weight(i: u32): u32 {
  return load<u32>(WEIGHTS + (i << 2))
}

@inline
function setWeight(i: u32, value: u32): void {
  store<u32>(WEIGHTS + (i << 2), value)
}

/** Turns sorted weights into depths in the tree of least cost, in place: Moffat and Katajainen, 1995. */
function treeDepths(used: u32): void {
  setWeight(0, weight(0) + weight(1))
  let root: u32 = 0
  let leaf: u32 = 2
  for (let next: u32 = 1; next < used - 1; next++) {
    let sum: u32 = 0
    for (let child = 0; child < 2; child++)
      if (leaf >= used || (root < next && weight(root) < weight(leaf))) {
        sum += weight(root)
        setWeight(root++, next)
      } else sum += weight(leaf++)
    setWeight(next, sum)
  }
  memory.fill(OF_LENGTH, 0, 64 * 4)
  setWeight(used - 2, 0)
  for (let next: i32 = i32(used) - 3; next >= 0; next--) setWeight(next, weight(weight(next)) + 1)
  countDepths(used)
}

/** How many leaves there are of each depth, from the depths of the inner nodes. */
function countDepths(used: u32): void {
  let free: u32 = 1
  let node: i32 = i32(used) - 2
  for (let depth: u32 = 0; free > 0; depth++) {
    let inner: u32 = 0
    for (; node >= 0 && weight(node) == depth; node--) inner++
    store<u32>(OF_LENGTH + (min(depth, 63) << 2), free - inner)
    free = 2 * inner
  }
}

/** Makes codes that are too long shorter, and others longer for it, until all fit again. */
function limitLengths(used: u32, limit: u32): void {
  let tooLong: u32 = 0
  for (let length = limit + 1; length < 64; length++) tooLong += load<u32>(OF_LENGTH + (length << 2))
  if (tooLong == 0) return
  store<u32>(OF_LENGTH + (limit << 2), load<u32>(OF_LENGTH + (limit << 2)) + tooLong)
  let room: u32 = 0
  for (let length: u32 = 1; length <= limit; length++) room += load<u32>(OF_LENGTH + (length << 2)) << (limit - length)
  for (; room > 1 << limit; room--) {
    let length = limit - 1
    while (load<u32>(OF_LENGTH + (length << 2)) == 0) length--
    add(length, -1)
    add(length + 1, 2)
    add(limit, -1)
  }
}

function add(length: u32, change: i32): void {
  const place = OF_LENGTH + (length << 2)
  store<u32>(place, load<u32>(place) + change)
}

/** Gives the codes their bits: in order of length, then of symbol. */
function numberCodes(codes: usize, symbols: u32, limit: u32): void {
  let code: u32 = 0
  for (let length: u32 = 1; length <= limit; length++) {
    code <<= 1
    for (let symbol: u32 = 0; symbol < symbols; symbol++) {
      const place = codes + (symbol << 2)
      if (load<u32>(place) >>> 24 == length) store<u32>(place, (length << 24) | reversed(code++, length))
    }
  }
}

function reversed(code: u32, length: u32): u32 {
  let bits: u32 = 0
  for (let i: u32 = 0; i < length; i++) bits |= ((code >>> i) & 1) << (length - 1 - i)
  return bits
}
