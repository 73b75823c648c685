/**
 * What the dynamic loader reads of an ELF file, and nothing more (System V gABI, chapters 4 and 5). The file is data
 * from outside: every offset and size in it is checked before it is followed.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { BuilderError } from '../errors.js'

/** An executable or a shared library. Absent lists are empty. */
export interface ElfFile {
  /** Word size, byte order and machine in one value: a program can load only libraries with the same. */
  readonly target: string
  /** PT_INTERP: the loader that the kernel starts. Absent in a static program and in most libraries. */
  readonly interpreter?: string
  /** DT_NEEDED, in the file's order. */
  readonly needed: readonly string[]
  /** DT_SONAME. */
  readonly soname?: string
  /** DT_RPATH and DT_RUNPATH, split at their colons, `$ORIGIN` not yet replaced. */
  readonly rpath: readonly string[]
  readonly runpath: readonly string[]
  /** DF_1_NODEFLIB: the loader's default folders are not searched. */
  readonly noDefaultFolders: boolean
}

/**
 * Reads an ELF file; undefined when the file is not one.
 *
 * @throws BuilderError `INVALID` when the file begins as ELF and breaks its format.
 */
export async function readElf(path: string): Promise<ElfFile | undefined> {
  await using file = await open(path, 'r')
  const ident = await readAt(file, 0, 16)
  if (ident.length < 16 || ident.readUInt32BE(0) !== 0x7f454c46) return undefined
  const bits = ident[4] === 2 ? 64 : ident[4] === 1 ? 32 : undefined
  const little = ident[5] === 1 ? true : ident[5] === 2 ? false : undefined
  if (bits === undefined || little === undefined) throw invalid(path, 'its class or byte order is unknown')
  return await new Reader(file, path, bits, little).read()
}

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3 } as const
const DT = { NEEDED: 1, STRTAB: 5, STRSZ: 10, SONAME: 14, RPATH: 15, RUNPATH: 29, FLAGS_1: 0x6ffffffb } as const
const DF_1_NODEFLIB = 0x800
// Far above what linkers write; a file that claims more is not read into memory.
const limit = { segments: 1024, interpreter: 4096, dynamic: 1 << 20, strings: 64 << 20 }

class Reader {
  readonly #file: FileHandle
  readonly #path: string
  readonly #wide: boolean
  readonly #little: boolean

  constructor(file: FileHandle, path: string, bits: 32 | 64, little: boolean) {
    this.#file = file
    this.#path = path
    this.#wide = bits === 64
    this.#little = little
  }

  async read(): Promise<ElfFile> {
    const header = await this.#bytes(0, this.#wide ? 64 : 52)
    const target = `${this.#wide ? 64 : 32}-bit ${this.#little ? 'little' : 'big'}-endian machine ${this.#half(header, 18)}`
    const segments = await this.#segments(header)
    const interpreter = await this.#interpreter(segments)
    return { target, ...(interpreter !== undefined && { interpreter }), ...(await this.#dynamic(segments)) }
  }

  async #segments(header: Buffer): Promise<Segment[]> {
    const start = this.#word(header, this.#wide ? 32 : 28)
    const size = this.#half(header, this.#wide ? 54 : 42)
    const count = this.#half(header, this.#wide ? 56 : 44)
    if (count === 0) return []
    if (count > limit.segments || size < (this.#wide ? 56 : 32))
      throw this.#invalid('its program headers are impossible')
    const table = await this.#bytes(start, size * count)
    return Array.from({ length: count }, (_, index) => this.#segment(table.subarray(index * size)))
  }

  #segment(entry: Buffer): Segment {
    const [offset, address, size] = this.#wide ? [8, 16, 32] : [4, 8, 16]
    const type = this.#int(entry, 0)
    return {
      type,
      offset: this.#word(entry, offset),
      address: this.#word(entry, address),
      size: this.#word(entry, size),
    }
  }

  async #interpreter(segments: readonly Segment[]): Promise<string | undefined> {
    const segment = segments.find(({ type }) => type === PT.INTERP)
    if (!segment) return undefined
    if (segment.size > limit.interpreter) throw this.#invalid('the name of its interpreter is too long')
    return this.#string(await this.#bytes(segment.offset, segment.size), 0)
  }

  async #dynamic(segments: readonly Segment[]): Promise<Omit<ElfFile, 'target' | 'interpreter'>> {
    const segment = segments.find(({ type }) => type === PT.DYNAMIC)
    if (!segment) return { needed: [], rpath: [], runpath: [], noDefaultFolders: false }
    if (segment.size > limit.dynamic) throw this.#invalid('its dynamic section is too large')
    const tags = this.#tags(await this.#bytes(segment.offset, segment.size))
    const strings = await this.#strings(tags, segments)
    const named = (tag: number) => (tags.get(tag) ?? []).map((offset) => this.#string(strings, offset))
    const [soname] = named(DT.SONAME)
    return {
      needed: named(DT.NEEDED),
      ...(soname !== undefined && { soname }),
      rpath: named(DT.RPATH).flatMap((list) => list.split(':')),
      runpath: named(DT.RUNPATH).flatMap((list) => list.split(':')),
      noDefaultFolders: ((tags.get(DT.FLAGS_1)?.[0] ?? 0) & DF_1_NODEFLIB) !== 0,
    }
  }

  #tags(table: Buffer): Map<number, number[]> {
    const tags = new Map<number, number[]>()
    const wanted = new Set<number>(Object.values(DT))
    const width = this.#wide ? 8 : 4
    for (let at = 0; at + 2 * width <= table.length; at += 2 * width) {
      const tag = this.#word(table, at)
      if (tag === 0) break
      if (wanted.has(tag)) tags.set(tag, [...(tags.get(tag) ?? []), this.#word(table, at + width)])
    }
    return tags
  }

  async #strings(tags: Map<number, number[]>, segments: readonly Segment[]): Promise<Buffer> {
    const [address] = tags.get(DT.STRTAB) ?? []
    const [size] = tags.get(DT.STRSZ) ?? []
    if (address === undefined || size === undefined) return Buffer.alloc(0)
    if (size > limit.strings) throw this.#invalid('its string table is too large')
    const segment = segments.find(
      (s) => s.type === PT.LOAD && address >= s.address && address + size <= s.address + s.size,
    )
    if (!segment) throw this.#invalid('its string table is in no segment')
    return this.#bytes(segment.offset + address - segment.address, size)
  }

  #string(table: Buffer, offset: number): string {
    const end = offset < table.length ? table.indexOf(0, offset) : -1
    if (end < 0) throw this.#invalid('a name in it has no end')
    return table.toString('utf8', offset, end)
  }

  async #bytes(offset: number, length: number): Promise<Buffer> {
    const bytes = await readAt(this.#file, offset, length)
    if (bytes.length < length) throw this.#invalid('it is truncated')
    return bytes
  }

  #half(bytes: Buffer, at: number): number {
    return this.#little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  }

  #int(bytes: Buffer, at: number): number {
    return this.#little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  }

  /** An address-sized number; one beyond 2^53 is beyond every file. */
  #word(bytes: Buffer, at: number): number {
    if (!this.#wide) return this.#int(bytes, at)
    return Number(this.#little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
  }

  #invalid(reason: string): BuilderError {
    return invalid(this.#path, reason)
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  if (!Number.isSafeInteger(offset)) return Buffer.alloc(0)
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

function invalid(path: string, reason: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read ELF file', object: path, reason })
}
