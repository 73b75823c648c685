/** Files with holes, as GNU tar writes them. Source: GNU tar manual, "Storing Sparse Files". */
import { invalid, number } from './decode.js'
import { natural, type PaxRecords } from './pax.js'

/** Where data lies in a file; holes are between. Bytes. */
export interface Segment {
  readonly offset: number
  readonly length: number
}

/** A file with holes: its name when that stands elsewhere, its size, and where its data goes. */
export interface SparseMap {
  readonly name: string | undefined
  readonly size: number
  readonly segments: readonly Segment[]
}

/** What the old format (type `S`) holds of the map in a header (first 386) or an extension block (first 0). */
export function oldSegments(block: Buffer, first: boolean, name: string): { segments: Segment[]; more: boolean } {
  const [start, count, flag] = first ? [386, 4, 482] : [0, 21, 504]
  const segments: Segment[] = []
  for (let at = start; at < start + count * 24; at += 24) {
    if (block[at] === 0) break
    const field = (from: number) => number(block, from, 12, name, 'sparse map')
    segments.push({ offset: field(at), length: field(at + 12) })
  }
  return { segments, more: block[flag] !== 0 }
}

export function oldSize(block: Buffer, name: string): number {
  return number(block, 483, 12, name, 'sparse size')
}

/** Whether the map stands before the data (pax format 1.0). Throws `UNSUPPORTED` for a format nobody has defined. */
export function isMapInData(records: PaxRecords): boolean {
  const all = new Map(records)
  return all.get('GNU.sparse.major') === '1' && all.get('GNU.sparse.minor') === '0'
}

/** The map of pax formats 0.0 and 0.1, or name and size of 1.0; undefined for a file without holes. */
export function sparseOf(records: PaxRecords, name: string): SparseMap | undefined {
  const all = new Map(records)
  const size = natural(all.get('GNU.sparse.realsize') ?? all.get('GNU.sparse.size') ?? '', 'sparse size', name)
  if (size === undefined) return undefined
  const listed = all.get('GNU.sparse.map')?.split(',') ?? []
  const repeated = records.flatMap(([key, value]) =>
    key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes' ? [value] : [],
  )
  const numbers = (listed.length > 0 ? listed : repeated).map((value) => natural(value, 'sparse map', name) ?? 0)
  return { name: all.get('GNU.sparse.name'), size, segments: pairs(numbers, name) }
}

/** The numbers of a map as segments. */
export function pairs(numbers: readonly number[], name: string): Segment[] {
  if (numbers.length % 2 !== 0) throw invalid(name, 'its sparse map is malformed')
  const segments: Segment[] = []
  for (let i = 0; i < numbers.length; i += 2)
    segments.push({ offset: numbers[i] as number, length: numbers[i + 1] as number })
  return segments
}

/** Throws `INVALID` unless segments follow each other within the file and have exactly the data that is there. */
export function checkSegments(map: SparseMap, data: number, name: string): void {
  let end = 0
  let sum = 0
  for (const { offset, length } of map.segments) {
    if (offset < end || length < 0 || offset + length > map.size) throw invalid(name, 'its sparse map is malformed')
    end = offset + length
    sum += length
  }
  if (sum !== data) throw invalid(name, 'its sparse map does not fit its data')
}
