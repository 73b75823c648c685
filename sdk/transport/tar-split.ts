import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { BuilderError } from '../errors.js'
import { parseJson } from '../image/config.js'
import { decompress } from '../layer/compress.js'
import { readFile, readRange } from './file-stream.js'
import { broken } from './verify.js'

/**
 * Puts a layer's tar together again, byte for byte, from its unpacked files and what github.com/vbatts/tar-split kept of
 * it: a line of JSON for each run of bytes between contents, and for each content the name of its file. Nothing is
 * believed: no name leads out of `root`, and the caller compares the digest of what comes.
 */
export async function* joinTar(split: string, root: string, name: string): AsyncGenerator<Uint8Array> {
  const parents = new Map<string, boolean>()
  for await (const line of lines(decompress(readFile(split)), name)) {
    const part = parseJson(line, `${name} ${split}`) as Part | null
    if (part?.type === segment) yield Buffer.from(String(part.payload ?? ''), 'base64')
    else if (part?.type !== content) throw broken(name, `${split} has a part of an unknown kind`)
    else if (part.size) yield* contentOf(part, root, parents, name)
  }
}

/** One line. Names that are not UTF-8 come as `name_raw`, in base64. */
interface Part {
  readonly type?: unknown
  readonly payload?: string
  readonly name?: string
  readonly name_raw?: string
  readonly size?: number
}

const content = 1
const segment = 2

async function* lines(stream: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = []
  let waiting = 0
  for await (const chunk of stream) {
    let from = 0
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      yield Buffer.concat([...rest, bytes.subarray(from, end)])
      from = end + 1
      rest = []
      waiting = 0
    }
    if (from === bytes.length) continue
    rest.push(Buffer.from(bytes.subarray(from)))
    waiting += bytes.length - from
    if (waiting > lineLimit) throw broken(name, `what is kept of its tar has a line of more than ${lineLimit} bytes`)
  }
  if (waiting > 0) throw broken(name, 'what is kept of its tar ends in the middle of a line')
}

async function* contentOf(
  part: Part,
  root: string,
  parents: Map<string, boolean>,
  name: string,
): AsyncGenerator<Uint8Array, void> {
  const size = Number(part.size)
  const own =
    part.name_raw === undefined ? Buffer.from(String(part.name ?? '')) : Buffer.from(String(part.name_raw), 'base64')
  const path = Buffer.concat([Buffer.from(`${root}/`), own])
  try {
    if (!Number.isSafeInteger(size) || !(await staysIn(root, path, parents))) throw broken(name, leads(own))
    if (size <= smallSize) return yield readSmall(path, size)
    const handle = await open(path, flags)
    try {
      if (!(await handle.stat()).isFile()) throw broken(name, `${own} is no file any more`)
      yield* readRange(handle, 0, size)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof BuilderError) throw error
    const reason = `the file ${own} of its layer cannot be read: ${(error as Error).message.split(',')[0]}`
    throw new BuilderError('DIGEST', { operation: 'read image', object: name, reason, cause: error })
  }
}

/** For many small files, as a distribution has them, waiting costs more than reading. */
function readSmall(path: Buffer, size: number): Buffer {
  const file = openSync(path, flags)
  try {
    const bytes = Buffer.allocUnsafe(size)
    const isWhole = fstatSync(file).isFile() && readSync(file, bytes, 0, size, 0) === size
    return isWhole ? bytes : bytes.subarray(0, 0)
  } finally {
    closeSync(file)
  }
}

/** True when the file's folder, all links followed, is the layer's or below it. The file itself is opened if it is no link. */
async function staysIn(root: string, path: Buffer, parents: Map<string, boolean>): Promise<boolean> {
  const folder = path.subarray(0, path.lastIndexOf(47)).toString('latin1')
  const known = parents.get(folder)
  if (known !== undefined) return known
  const real = await realpath(Buffer.from(folder, 'latin1'), 'latin1')
  const top = Buffer.from(await realpath(root)).toString('latin1')
  const stays = real === top || real.startsWith(`${top}/`)
  parents.set(folder, stays)
  return stays
}

function leads(own: Buffer): string {
  return `${JSON.stringify(own.toString())} leads out of its layer`
}

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const smallSize = 512 * 1024
const lineLimit = 64 * 1024 * 1024
