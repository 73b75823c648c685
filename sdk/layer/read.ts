import { decodeHeader, type Header, invalid } from './decode.js'
import { blockSize, type EntryType, paddingOf } from './header.js'
import type { Input, Reading } from './input.js'
import { extend, extensionLimit, type PaxRecords, parsePax } from './pax.js'
import { checkSegments, isMapInData, oldSegments, oldSize, pairs, type SparseMap, sparseOf } from './sparse.js'

/** An entry of somebody's tar. Strings are bytes as latin1; nothing about them has been judged. */
export interface Member extends Omit<Header, 'flag'> {
  readonly type: EntryType
  readonly xattrs: ReadonlyMap<string, string>
}

/** Takes the content of a file. */
export interface Content {
  /** Some bytes and their place in the file, in rising order; what is left out is zeros. Valid during the call. */
  write(bytes: Buffer, position: number): void
  end(): void
  /** Called instead of `end` when the rest will not come. */
  discard(): void
}

/**
 * Reads a tar: ustar, pax, GNU's long names, sparse files and large numbers, and what came before.
 *
 * @param visit - Called for each entry in order; gives what takes the content of a file, or undefined to pass over it.
 */
export function* readTar(input: Input, visit: (member: Member) => Content | undefined): Reading<void> {
  const globals = new Map<string, string>()
  let before: Before = {}
  let globalBytes = 0
  for (;;) {
    const block = yield* input.maybe(blockSize)
    const header = block && decodeHeader(block)
    if (!block || !header) {
      if (Object.keys(before).length > 0) throw invalid('', 'its tar ends after an extended header')
      if (block) yield* end(input)
      return
    }
    if (header.flag === 'x' || header.flag === 'X') before = { ...before, records: yield* records(input, header) }
    else if (header.flag === 'L') before = { ...before, name: yield* longName(input, header) }
    else if (header.flag === 'K') before = { ...before, linkname: yield* longName(input, header) }
    else if (header.flag === 'g') {
      globalBytes += header.size
      if (globalBytes > extensionLimit) throw tooLong(header, globalBytes)
      for (const [key, value] of yield* records(input, header)) globals.set(key, value)
    } else {
      yield* member(input, header, block, recordsOf(globals, before), visit)
      before = {}
    }
  }
}

/** What stood before a header and belongs to it. A second extended header replaces the first. */
interface Before {
  readonly records?: PaxRecords
  readonly name?: string
  readonly linkname?: string
}

function recordsOf(globals: ReadonlyMap<string, string>, { records = none, name, linkname }: Before): PaxRecords {
  if (globals.size === 0 && name === undefined && linkname === undefined) return records
  const long: [string, string][] = []
  if (name !== undefined) long.push(['path', name])
  if (linkname !== undefined) long.push(['linkpath', linkname])
  return [...globals, ...records, ...long]
}

/** The second block of zeros, and whatever follows it. */
function* end(input: Input): Reading<void> {
  const second = yield* input.maybe(blockSize)
  if (second && decodeHeader(second)) throw invalid('', 'entries follow the end of the archive')
  yield* input.drain()
}

function* records(input: Input, header: Header): Reading<PaxRecords> {
  return parsePax((yield* extension(input, header)).toString('latin1'), header.name)
}

/** A name of GNU's: up to the first NUL. */
function* longName(input: Input, header: Header): Reading<string> {
  return (yield* extension(input, header)).toString('latin1').replace(/\0.*$/s, '')
}

function* extension(input: Input, header: Header): Reading<Buffer> {
  const { size } = header
  if (header.size > extensionLimit) throw tooLong(header, header.size)
  return (yield* input.take(size + paddingOf(size))).subarray(0, size)
}

function tooLong({ name }: Header, bytes: number) {
  return invalid(name, `its extended headers have ${bytes} bytes, more than ${extensionLimit}`)
}

function* member(
  input: Input,
  header: Header,
  block: Buffer,
  records: PaxRecords,
  visit: (member: Member) => Content | undefined,
): Reading<void> {
  const { header: whole, xattrs } = extend(header, records)
  const type = types[whole.flag]
  if (!type) throw invalid(whole.name, `its type ${JSON.stringify(whole.flag)} is not one that a layer can have`)
  const sparse = type === 'file' ? yield* sparseMap(input, whole, block, records) : undefined
  const data = type === 'file' ? whole.size - (sparse?.headed ?? 0) : 0
  if (sparse) checkSegments(sparse, data, whole.name)
  const size = sparse?.size ?? data
  const { linkname, mode, uid, gid, mtime, major, minor } = whole
  const name = sparse?.name ?? whole.name
  const content = visit({ type, name, linkname, mode, uid, gid, size, mtime, major, minor, xattrs })
  if (!content) return yield* input.skip(data + paddingOf(data))
  let done = false
  try {
    for (const { offset, length } of sparse?.segments ?? [{ offset: 0, length: data }])
      for (let at = 0; at < length; at += pieceSize)
        content.write(yield* input.take(Math.min(length - at, pieceSize)), offset + at)
    content.end()
    done = true
  } finally {
    if (!done) content.discard()
  }
  yield* input.skip(paddingOf(data))
}

/** The map of a file with holes; `headed` is how many bytes of the content the map itself takes. */
function* sparseMap(
  input: Input,
  header: Header,
  block: Buffer,
  records: PaxRecords,
): Reading<(SparseMap & { headed: number }) | undefined> {
  const { name, flag } = header
  if (flag === 'S') {
    const size = oldSize(block, name)
    const { segments, more } = oldSegments(block, true, name)
    for (let next = more; next; ) {
      const extension = oldSegments(yield* input.take(blockSize), false, name)
      segments.push(...extension.segments)
      if (segments.length > mapLimit) throw invalid(name, 'its sparse map is too long')
      next = extension.more
    }
    return { name: undefined, size, segments, headed: 0 }
  }
  if (!records.some(([key]) => key.startsWith('GNU.sparse.'))) return undefined
  const map = sparseOf(records, name)
  if (!map || !isMapInData(records)) return map && { ...map, headed: 0 }
  const { numbers, headed } = yield* mapInData(input, name)
  return { ...map, segments: pairs(numbers, name), headed }
}

/** Format 1.0: the count of segments, then their offsets and lengths, a line each, filled up to whole blocks. */
function* mapInData(input: Input, name: string): Reading<{ numbers: number[]; headed: number }> {
  const blocks: string[] = []
  let lines = 0
  let count = Number.NaN
  while (!(lines > 2 * count)) {
    const text = (yield* input.take(blockSize)).toString('latin1')
    lines += text.split('\n').length - 1
    blocks.push(text)
    if (Number.isNaN(count) && lines > 0) count = naturalLine(blocks.join('').split('\n', 1)[0])
    if (blocks.length * blockSize > extensionLimit || count > mapLimit)
      throw invalid(name, 'its sparse map is too long')
    if (lines > 0 && Number.isNaN(count)) throw invalid(name, 'its sparse map is malformed')
  }
  const numbers = blocks
    .join('')
    .split('\n', 1 + 2 * count)
    .slice(1)
    .map(naturalLine)
  if (numbers.some(Number.isNaN)) throw invalid(name, 'its sparse map is malformed')
  return { numbers, headed: blocks.length * blockSize }
}

function naturalLine(line = ''): number {
  return /^[0-9]{1,16}$/.test(line) ? Number(line) : Number.NaN
}

const pieceSize = 1024 * 1024
/** Segments of a sparse file; GNU tar writes a few thousand for the worst. */
const mapLimit = 100_000
const none: PaxRecords = []
/** By type flag; 7 is a contiguous file, which is a file. */
const types: Readonly<Record<string, EntryType>> = {
  0: 'file',
  1: 'link',
  2: 'symlink',
  3: 'character',
  4: 'block',
  5: 'directory',
  6: 'fifo',
  7: 'file',
  S: 'file',
}
