/**
 * The pages of an SQLite database file, with what a write-ahead log beside it has newer.
 * Source: https://www.sqlite.org/fileformat2.html, "The Database File" and "The Write-Ahead Log".
 */
import type { ImageFile } from '../store/image-files.js'
import { checkDatabaseSize, damagedDatabase } from './damaged.js'

/** Pages, counted from 1. */
export interface SqlitePages {
  /** Where the database is in the image. */
  readonly path: string
  /** Bytes of a page that content may use. */
  readonly usable: number
  /** Throws `INVALID` for a page that is not there. */
  page(number: number): Buffer
}

/** Reads the header of a database, and its log when there is one. Throws `INVALID`. */
export function sqlitePages(file: ImageFile, log: ImageFile | undefined): SqlitePages {
  const { path } = file
  checkDatabaseSize(path, file.size)
  const header = file.read(0, 100)
  if (header.length < 100 || header.toString('latin1', 0, 16) !== magic) throw damagedDatabase(path, 'it is not SQLite')
  const written = header.readUInt16BE(16)
  const size = written === 1 ? 65536 : written
  const usable = size - header.readUInt8(20)
  if (size < 512 || (size & (size - 1)) !== 0 || usable < 480)
    throw damagedDatabase(path, `its pages have ${size} bytes`)
  const newer = log ? pagesInLog(log, size) : { places: new Map<number, number>(), count: 0 }
  const count = newer.count || Math.floor(file.size / size)
  return {
    path,
    usable,
    page(number) {
      if (number < 1 || number > count) throw damagedDatabase(path, `it has no page ${number}`)
      const place = newer.places.get(number)
      const bytes = place === undefined ? file.read((number - 1) * size, size) : log?.read(place, size)
      if (bytes?.length === size) return bytes
      throw damagedDatabase(path, `it ends before page ${number}`)
    },
  }
}

const magic = 'SQLite format 3\0'

interface Newer {
  /** Offset in the log of each page that it has. */
  readonly places: ReadonlyMap<number, number>
  /** Pages of the database after the last transaction; 0 when the log has none. */
  readonly count: number
}

/** What counts are whole transactions: frames of this log's salt whose sums hold, up to the last that commits. */
function pagesInLog(log: ImageFile, size: number): Newer {
  checkDatabaseSize(log.path, log.size)
  const header = log.read(0, 32)
  const isBig = header.length === 32 && header.readUInt32BE(0) === 0x377f0683
  const isLittle = header.length === 32 && header.readUInt32BE(0) === 0x377f0682
  const none = { places: new Map<number, number>(), count: 0 }
  if (!(isBig || isLittle) || header.readUInt32BE(8) !== size) return none
  let sum = added([0, 0], header.subarray(0, 24), isBig)
  if (!sameSum(sum, header, 24)) return none
  const places = new Map<number, number>()
  let committed = { places: new Map<number, number>(), count: 0 }
  for (let at = 32; at + 24 + size <= log.size; at += 24 + size) {
    const frame = log.read(at, 24 + size)
    if (!frame.subarray(8, 16).equals(header.subarray(16, 24))) break
    sum = added(added(sum, frame.subarray(0, 8), isBig), frame.subarray(24), isBig)
    if (!sameSum(sum, frame, 16)) break
    places.set(frame.readUInt32BE(0), at + 24)
    const count = frame.readUInt32BE(4)
    if (count > 0) committed = { places: new Map(places), count }
  }
  return committed
}

type Sum = readonly [number, number]

function added([first, second]: Sum, bytes: Buffer, isBig: boolean): Sum {
  let [a, b] = [first, second]
  for (let i = 0; i + 8 <= bytes.length; i += 8) {
    a = (a + (isBig ? bytes.readUInt32BE(i) : bytes.readUInt32LE(i)) + b) >>> 0
    b = (b + (isBig ? bytes.readUInt32BE(i + 4) : bytes.readUInt32LE(i + 4)) + a) >>> 0
  }
  return [a, b]
}

function sameSum([a, b]: Sum, bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === a && bytes.readUInt32BE(at + 4) === b
}
