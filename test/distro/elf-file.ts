/** Writes small ELF files that nothing can run, to show the reader's and the loader's rules one at a time. */

export interface ElfParts {
  readonly interpreter?: string
  readonly needed?: readonly string[]
  readonly soname?: string
  readonly rpath?: string
  readonly runpath?: string
  /** EM_*; this machine's when absent. */
  readonly machine?: number
}

/** A 64-bit little-endian shared object: header, three program headers, strings, dynamic section. */
export function elfFile(parts: ElfParts): Buffer {
  const strings = new Strings()
  const tags: [number, number][] = (parts.needed ?? []).map((name) => [1, strings.add(name)])
  const named = [
    [14, parts.soname],
    [15, parts.rpath],
    [29, parts.runpath],
  ] as const
  for (const [tag, text] of named) if (text !== undefined) tags.push([tag, strings.add(text)])
  const interpreter = strings.add(parts.interpreter ?? '')
  const table = strings.bytes()
  tags.push([5, start], [10, table.length], [0, 0])
  const dynamic = Buffer.concat(tags.map(([tag, value]) => Buffer.concat([word(tag), word(value)])))
  const size = start + table.length + dynamic.length
  const segments = [
    segment(1, 0, size),
    segment(2, start + table.length, dynamic.length),
    segment(parts.interpreter === undefined ? 0 : 3, start + interpreter, (parts.interpreter ?? '').length + 1),
  ]
  return Buffer.concat([header(parts.machine ?? (process.arch === 'arm64' ? 183 : 62)), ...segments, table, dynamic])
}

const start = 64 + 3 * 56

function header(machine: number): Buffer {
  const bytes = Buffer.alloc(64)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  bytes.writeUInt16LE(3, 16)
  bytes.writeUInt16LE(machine, 18)
  bytes.writeUInt32LE(1, 20)
  bytes.writeBigUInt64LE(64n, 32)
  for (const [at, value] of [
    [52, 64],
    [54, 56],
    [56, 3],
  ] as const)
    bytes.writeUInt16LE(value, at)
  return bytes
}

function segment(type: number, offset: number, size: number): Buffer {
  const flags = Buffer.alloc(8)
  flags.writeUInt32LE(type)
  flags.writeUInt32LE(4, 4)
  return Buffer.concat([flags, word(offset), word(offset), word(offset), word(size), word(size), word(8)])
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

class Strings {
  #text = '\0'

  add(text: string): number {
    const at = this.#text.length
    this.#text += `${text}\0`
    return at
  }

  bytes(): Buffer {
    return Buffer.from(this.#text.padEnd(Math.ceil(this.#text.length / 8) * 8, '\0'))
  }
}
