/**
 * The values of a Berkeley DB hash file, which rpm's database was before rpm 4.16 (`Packages`).
 * Source: Oracle Berkeley DB 5.3, src/dbinc/db_page.h (DBMETA, HMETA, PAGE, HOFFPAGE).
 */
import type { ImageFile } from '../store/image-files.js'
import { checkDatabaseSize, damagedDatabase, recordLimit } from './damaged.js'

/** Values in the order of the pages they are on; those too short for a header are left out. Throws `INVALID`. */
export function* berkeleyValues(file: ImageFile): Generator<Buffer, void, undefined> {
  const pages = new Pages(file)
  for (let number = 1; number <= pages.last; number++) {
    const page = pages.page(number)
    // Pages of keys and values; the others are reached through them, or are free.
    if (page.kind === 2 || page.kind === 13)
      for (const value of valuesOn(pages, page)) if (value.length > 8) yield value
  }
}

interface Page {
  readonly bytes: Buffer
  readonly kind: number
}

class Pages {
  readonly last: number
  readonly #file: ImageFile
  readonly #size: number
  readonly #isLittle: boolean
  readonly #overflow = new Set<number>()

  constructor(file: ImageFile) {
    this.#file = file
    checkDatabaseSize(file.path, file.size)
    const meta = file.read(0, 72)
    this.#isLittle = meta.length === 72 && meta.readUInt32LE(12) === magic
    if (meta.length < 72 || (!this.#isLittle && meta.readUInt32BE(12) !== magic) || meta[25] !== metaPage)
      throw this.damaged('it is not a hash file of Berkeley DB')
    if (meta[24] !== 0) throw this.damaged('it is encrypted')
    this.#size = this.number(meta, 20)
    this.last = this.number(meta, 32)
    const isPower = (this.#size & (this.#size - 1)) === 0
    if (this.#size < 512 || this.#size > 65536 || !isPower) throw this.damaged(`its pages have ${this.#size} bytes`)
    if ((this.last + 1) * this.#size > file.size) throw this.damaged('it is shorter than it says')
  }

  page(number: number): Page {
    const bytes = this.#file.read(number * this.#size, this.#size)
    if (number > this.last || bytes.length < this.#size) throw this.damaged(`it has no page ${number}`)
    return { bytes, kind: bytes.readUInt8(25) }
  }

  number(bytes: Buffer, at: number): number {
    return this.#isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  }

  short(bytes: Buffer, at: number): number {
    return this.#isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  }

  /** A value that has a chain of pages for itself. */
  overflow(first: number, length: number): Buffer {
    if (length > recordLimit) throw this.damaged(`a value has ${length} bytes`)
    const pieces: Buffer[] = []
    let left = length
    for (let next = first; left > 0; ) {
      if (this.#overflow.has(next)) throw this.damaged(`page ${next} is used twice`)
      this.#overflow.add(next)
      const { bytes, kind } = this.page(next)
      const filled = this.short(bytes, 22)
      if (kind !== overflowPage || filled === 0) throw this.damaged(`page ${next} is no part of a value`)
      const piece = bytes.subarray(pageHeader, pageHeader + Math.min(filled, left))
      pieces.push(piece)
      left -= piece.length
      next = this.number(bytes, 16)
    }
    return Buffer.concat(pieces)
  }

  damaged(reason: string): Error {
    return damagedDatabase(this.#file.path, reason)
  }
}

const magic = 0x061561
const metaPage = 8
const overflowPage = 7
const pageHeader = 26

/** Keys and values take turns. An item ends where the one before it begins. */
function* valuesOn(pages: Pages, { bytes }: Page): Generator<Buffer, void, undefined> {
  const count = pages.short(bytes, 20)
  if (pageHeader + 2 * count > bytes.length) throw pages.damaged(`a page has ${count} items`)
  const start = (item: number) => pages.short(bytes, pageHeader + 2 * item)
  for (let item = 1; item < count; item += 2) {
    const [from, to] = [start(item), start(item - 1)]
    if (from < pageHeader || from >= to || to > bytes.length) throw pages.damaged('an item lies behind its page')
    const kind = bytes[from]
    if (kind === keyData) yield bytes.subarray(from + 1, to)
    else if (kind === offPage && to - from >= 12)
      yield pages.overflow(pages.number(bytes, from + 4), pages.number(bytes, from + 8))
    else throw pages.damaged(`an item is of the unknown kind ${kind}`)
  }
}

const keyData = 1
const offPage = 3
