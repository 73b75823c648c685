/** Writes tars that no honest tool would: every field of a header can be given as it should stand there. */

export interface RawEntry {
  readonly name: string
  /** The type flag; `0` when absent. */
  readonly flag?: string
  readonly link?: string
  readonly body?: string | Buffer
  /** In place of the body's size. */
  readonly size?: number
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly major?: number
  readonly minor?: number
  readonly magic?: string
  /** Written over the header before its checksum is made. Offsets are bytes. */
  readonly patch?: Readonly<Record<number, string | Buffer>>
  /** Written over the checksum. */
  readonly checksum?: string
}

/** A whole archive with its two blocks of zeros. Strings are latin1. */
export function tarOf(...entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.map(rawEntry), Buffer.alloc(1024)])
}

/** A header and its content. */
export function rawEntry(entry: RawEntry): Buffer {
  const body = typeof entry.body === 'string' ? Buffer.from(entry.body, 'latin1') : (entry.body ?? Buffer.alloc(0))
  return Buffer.concat([rawHeader(entry, body.length), body, Buffer.alloc((512 - (body.length % 512)) % 512)])
}

/** A pax header (flag x, or g) with these records. */
export function paxEntry(records: Readonly<Record<string, string | number>>, flag = 'x'): RawEntry {
  const body = Object.entries(records).map(([key, value]) => record(key, String(value)))
  return { name: 'PaxHeaders', flag, body: body.join('') }
}

/** A stream of these bytes, in chunks of a size. */
export async function* streamOf(bytes: Uint8Array, chunk = 65536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk)
}

function record(key: string, value: string): string {
  const rest = key.length + value.length + 3
  let length = rest
  while (rest + String(length).length !== length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}

function rawHeader(entry: RawEntry, length: number): Buffer {
  const block = Buffer.alloc(512)
  const field = (at: number, width: number, value: number) =>
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1')
  block.write(entry.name, 0, 100, 'latin1')
  field(100, 8, entry.mode ?? 0o644)
  field(108, 8, entry.uid ?? 0)
  field(116, 8, entry.gid ?? 0)
  field(124, 12, entry.size ?? length)
  field(136, 12, entry.mtime ?? 1_000_000_000)
  block.write(entry.flag ?? '0', 156, 'latin1')
  block.write(entry.link ?? '', 157, 100, 'latin1')
  block.write(entry.magic ?? 'ustar\x0000', 257, 'latin1')
  field(329, 8, entry.major ?? 0)
  field(337, 8, entry.minor ?? 0)
  for (const [at, value] of Object.entries(entry.patch ?? {}))
    Buffer.from(value as string, 'latin1').copy(block, Number(at))
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(entry.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}
