/** Names and what they stand for. */
import { allocate, Buffer, newBuffer, same } from './memory'

export const NONE: u32 = 0
export const OBJECT: u32 = 1
export const FUNCTION: u32 = 2
/** Those whose text is made when they are used. */
export const LINE: u32 = 3
export const FILE: u32 = 4
export const COUNTER: u32 = 5
export const LEVEL: u32 = 6
export const BASE_FILE: u32 = 7

@unmanaged
export class Macro {
  next: Macro | null
  name: usize
  size: usize
  hash: u32
  /** One of the above; `NONE` after `#undef`. */
  kind: u32
  parameters: u32
  isVariadic: bool
  /** How many of its expansions are under way. */
  active: u32
  /** Where it was defined. */
  frame: u32
  line: u32
  /** What it stands for, as it was written. */
  body: usize
  bodySize: usize
  /** The same in pieces of 12 bytes: address, size, and the number of the parameter that follows, from 1; 0 in the last. */
  pieces: usize
}

const BUCKETS: u32 = 0x4000
let table: usize = 0
let first: u32 = 0
/** A bit for each length up to 63, and a byte for each first byte: most words of a text can be no macro's. */
let lengths: u64 = 0
const firsts: usize = memory.data(256, 8)

/** @param seed - Different for each run, so that no input can choose names that share a bucket. */
export function prepareMacros(seed: u32): void {
  first = seed
  table = allocate(usize(BUCKETS) << 2)
  memory.fill(table, 0, usize(BUCKETS) << 2)
}

/** The macro of a name, or null. */
@inline
export function lookUp(name: usize, size: usize): Macro | null {
  if (load<u8>(firsts + usize(load<u8>(name))) == 0 || (lengths & (u64(1) << min<u64>(size, 63))) == 0) return null
  const macro = named(name, size, hashOf(name, size))
  return macro !== null && macro.kind != NONE ? macro : null
}

/** The entry of a name, made when it is new. `name` must stay where it is. */
export function entryOf(name: usize, size: usize): Macro {
  const hash = hashOf(name, size)
  const known = named(name, size, hash)
  if (known !== null) return known
  const macro = changetype<Macro>(allocate(offsetof<Macro>()))
  memory.fill(changetype<usize>(macro), 0, offsetof<Macro>())
  const bucket = table + (usize(hash & (BUCKETS - 1)) << 2)
  macro.next = changetype<Macro | null>(usize(load<u32>(bucket)))
  macro.name = name
  macro.size = size
  macro.hash = hash
  store<u32>(bucket, u32(changetype<usize>(macro)))
  lengths |= u64(1) << min<u64>(size, 63)
  store<u8>(firsts + usize(load<u8>(name)), 1)
  return macro
}

function named(name: usize, size: usize, hash: u32): Macro | null {
  let macro = changetype<Macro | null>(usize(load<u32>(table + (usize(hash & (BUCKETS - 1)) << 2))))
  while (macro !== null) {
    if (macro.hash == hash && macro.size == size && same(macro.name, name, size)) return macro
    macro = macro.next
  }
  return null
}

function hashOf(name: usize, size: usize): u32 {
  let hash = first
  for (let i: usize = 0; i < size; i++) hash = (hash ^ load<u8>(name + i)) * 0x01000193
  return hash ^ (hash >>> 15)
}

/** The names of a macro's parameters while it is being defined: pairs of address and size. */
let names: Buffer | null = null

export function noParameters(): void {
  if (names === null) names = newBuffer(64)
  ;(names as Buffer).size = 0
}

export function addParameter(name: usize, size: usize): void {
  const buffer = names as Buffer
  buffer.put32(u32(name))
  buffer.put32(u32(size))
}

export function parameterCount(): u32 {
  return u32((names as Buffer).size >>> 3)
}

/** The number of a parameter, from 1; 0 when the word is none. */
export function parameterOf(name: usize, size: usize): u32 {
  const buffer = names as Buffer
  for (let at = buffer.at, n: u32 = 1; at < buffer.end; at += 8, n++)
    if (usize(load<u32>(at, 4)) == size && same(usize(load<u32>(at)), name, size)) return n
  return 0
}
