/** Where everything lies in the module's memory. Byte addresses; the host writes and reads through `input` and `output`. */

/** 32 KiB of what came before, then a block of 1 MiB, then room for reads of eight bytes. */
export const INPUT: usize = 0x10000
export const WINDOW: usize = 0x8000
export const BLOCK: usize = 0x100000
/** Compressed data: a block, stored, is 80 bytes longer. */
export const OUTPUT: usize = 0x140000
/** Last position of each hash, u32. */
export const HEADS: usize = 0x260000
export const HASH_BITS: u32 = 15
/** The position before with the same hash, u32, by position modulo 32 Ki. */
export const CHAINS: usize = 0x280000
/** What a part is made of, u32 each: a literal, or 1 << 31 | (length - 3) << 16 | distance - 1. */
export const TOKENS: usize = 0x2a0000
/** Most tokens of a part, which has codes of its own. */
export const PART: u32 = 0x6000

/** Symbols: 286 of literals and lengths, 30 of distances, 19 of code lengths. */
export const LITERALS: u32 = 286
export const DISTANCES: u32 = 30
export const LENGTHS: u32 = 19
/** How often each occurs, u32. */
export const LITERAL_COUNTS: usize = 0x2c0000
export const DISTANCE_COUNTS: usize = 0x2c0800
export const LENGTH_COUNTS: usize = 0x2c0c00
/** Its code, u32: bits in the order of writing, and their number above bit 24. */
export const LITERAL_CODES: usize = 0x2c1000
export const DISTANCE_CODES: usize = 0x2c1800
export const LENGTH_CODES: usize = 0x2c1c00
/** The code of a length with its extra bits, by length - 3, the same way. */
export const WHOLE_LENGTH_CODES: usize = 0x2c2000
/** The symbol of a length - 3, and of a distance - 1: below 256, and in steps of 128; u8. */
export const LENGTH_SYMBOLS: usize = 0x2c3000
export const DISTANCE_SYMBOLS: usize = 0x2c3400
/** RFC 1951, 3.2.5: the first length - 3, distance - 1 of each symbol, u16, and its extra bits, u8. */
export const LENGTH_BASES: usize = 0x2c3800
export const LENGTH_EXTRAS: usize = 0x2c3880
export const DISTANCE_BASES: usize = 0x2c3900
export const DISTANCE_EXTRAS: usize = 0x2c3980
/** For making codes: keys, weights, how many of each length; u32. */
export const KEYS: usize = 0x2c4000
export const WEIGHTS: usize = 0x2c4800
export const OF_LENGTH: usize = 0x2c5000
/** The lengths of all codes one after the other, u8, and as they are written: symbol | extra << 8, u32. */
export const ALL_LENGTHS: usize = 0x2c5400
export const RUNS: usize = 0x2c5800
/** RFC 1952, 8: eight tables of 256 remainders, u32. */
export const REMAINDERS: usize = 0x2c6000
