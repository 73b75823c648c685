/**
 * Reads the rows of one table of an SQLite database, and nothing else: no SQL of the file is executed, so that a hostile
 * view or trigger is only text. Every page is visited once at most.
 * Source: https://www.sqlite.org/fileformat2.html, "B-tree Pages" and "Record Format".
 */
import { damagedDatabase, recordLimit } from './damaged.js'
import type { SqlitePages } from './sqlite-pages.js'

/** A column's value: bytes of a text or a blob, a number, or undefined for what was left out or is NULL. */
export type SqliteValue = Buffer | number | undefined

/** Whether the database has a table of that name. Throws `INVALID`. */
export function hasTable(pages: SqlitePages, name: string): boolean {
  return rootOf(pages, name) !== undefined
}

/** The rows of a table in the order of their numbers. Throws `INVALID`, also when the table is not there. */
export function* rowsOfTable(pages: SqlitePages, name: string): Generator<readonly SqliteValue[], void, undefined> {
  const root = rootOf(pages, name)
  if (root === undefined) throw damagedDatabase(pages.path, `it has no table ${name}`)
  yield* rowsBelow(pages, root)
}

/** Rows of sqlite_schema: type, name, tbl_name, rootpage, sql. */
function rootOf(pages: SqlitePages, name: string): number | undefined {
  for (const [type, own, , root] of rowsBelow(pages, 1))
    if (String(type) === 'table' && String(own) === name && typeof root === 'number') return root
  return undefined
}

function* rowsBelow(pages: SqlitePages, root: number): Generator<readonly SqliteValue[], void, undefined> {
  const seen = new Set<number>()
  const waiting = [root]
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    const page = new TreePage(pages, take(pages, seen, number), number)
    if (page.type === interior) waiting.push(...page.children().reverse())
    else if (page.type === leaf) for (const payload of page.payloads(seen)) yield valuesOf(pages, payload)
    else throw damagedDatabase(pages.path, `page ${number} is not a part of a table`)
  }
}

const interior = 5
const leaf = 13

/** A page that leads to itself would never end. */
function take(pages: SqlitePages, seen: Set<number>, number: number): Buffer {
  if (seen.has(number)) throw damagedDatabase(pages.path, `page ${number} is used twice`)
  seen.add(number)
  return pages.page(number)
}

class TreePage {
  readonly type: number
  readonly #pages: SqlitePages
  readonly #bytes: Buffer
  readonly #start: number

  constructor(pages: SqlitePages, bytes: Buffer, number: number) {
    this.#pages = pages
    this.#bytes = bytes
    // The first page begins with the file's header.
    this.#start = number === 1 ? 100 : 0
    this.type = bytes.readUInt8(this.#start)
  }

  children(): number[] {
    const children = this.#cells(12).map((at) => this.#bytes.readUInt32BE(at))
    return [...children, this.#bytes.readUInt32BE(this.#start + 8)]
  }

  *payloads(seen: Set<number>): Generator<Buffer, void, undefined> {
    for (const at of this.#cells(8)) {
      const [length, afterLength] = varint(this.#bytes, at)
      const [, start] = varint(this.#bytes, afterLength)
      if (length > recordLimit) throw damagedDatabase(this.#pages.path, `a row has ${length} bytes`)
      yield this.#payload(start, length, seen)
    }
  }

  /** Offsets of the cells. */
  #cells(header: number): number[] {
    const first = this.#start + header
    const count = this.#bytes.readUInt16BE(this.#start + 3)
    if (first + 2 * count > this.#bytes.length) throw damagedDatabase(this.#pages.path, `a page has ${count} cells`)
    const places = Array.from({ length: count }, (_, i) => this.#bytes.readUInt16BE(first + 2 * i))
    if (places.some((at) => at + 4 > this.#bytes.length))
      throw damagedDatabase(this.#pages.path, 'a cell lies behind its page')
    return places
  }

  /** What does not fit goes on in a chain of pages. */
  #payload(start: number, length: number, seen: Set<number>): Buffer {
    const local = localLength(length, this.#pages.usable)
    const end = start + local
    if (end + (local < length ? 4 : 0) > this.#bytes.length)
      throw damagedDatabase(this.#pages.path, 'a row lies behind its page')
    const pieces = [this.#bytes.subarray(start, end)]
    let left = length - local
    for (let next = left > 0 ? this.#bytes.readUInt32BE(end) : 0; left > 0; ) {
      const page = take(this.#pages, seen, next)
      const piece = page.subarray(4, Math.min(4 + left, this.#pages.usable))
      pieces.push(piece)
      left -= piece.length
      next = page.readUInt32BE(0)
    }
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
  }
}

/** How much of a row is on its own page: the formula of "Cell Payload Overflow Pages". */
function localLength(length: number, usable: number): number {
  if (length <= usable - 35) return length
  const least = Math.floor(((usable - 12) * 32) / 255) - 23
  const wanted = least + ((length - least) % (usable - 4))
  return wanted <= usable - 35 ? wanted : least
}

function valuesOf(pages: SqlitePages, payload: Buffer): readonly SqliteValue[] {
  const [headerEnd, first] = varint(payload, 0)
  const values: SqliteValue[] = []
  let at = headerEnd
  for (let place = first; place < headerEnd && place < payload.length; ) {
    const [type, next] = varint(payload, place)
    const length = lengthOf(type)
    if (at + length > payload.length) throw damagedDatabase(pages.path, 'a row ends within a column')
    values.push(columnOf(type, payload.subarray(at, at + length)))
    at += length
    place = next
  }
  return values
}

function lengthOf(type: number): number {
  return type >= 12 ? Math.floor((type - 12) / 2) : ([0, 1, 2, 3, 4, 6, 8, 8][type] ?? 0)
}

function columnOf(type: number, bytes: Buffer): SqliteValue {
  if (type >= 12) return bytes
  if (type === 8 || type === 9) return type - 8
  if (type >= 1 && type <= 5) return bytes.readIntBE(0, bytes.length)
  return type === 6 ? Number(bytes.readBigInt64BE()) : undefined
}

/** A number in one to nine bytes of seven bits each, and where it ends. Past the end there are only zeros. */
function varint(bytes: Buffer, at: number): readonly [number, number] {
  let value = 0
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i] ?? 0
    value = value * 128 + (byte & 127)
    if (byte < 128) return [value, at + i + 1]
  }
  return [value * 256 + (bytes[at + 8] ?? 0), at + 9]
}
