import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { type Digest, hexOf } from '../image/digest.js'
import { rename2 } from '../namespace/libc.js'
import { writeStream } from './file-stream.js'
import { hiddenPath } from './hidden.js'
import { missing } from './verify.js'

/** A directory that is being written, under a hidden name; gone when it is disposed of before it was published. */
export interface Draft extends AsyncDisposable {
  readonly path: string
  /** Gives it its name. An empty directory of that name goes; another one only with `exchange`. Throws `EXISTS`. */
  publish(options?: { readonly exchange: boolean }): Promise<void>
}

/** A draft beside the directory that it will be. Throws `NOT_FOUND` when the folder of both does not exist. */
export async function draftBeside(target: string, name: string): Promise<Draft> {
  const whole = await realpath(target).catch(() => resolve(target))
  return draft(await hiddenPath(dirname(whole), basename(whole)), whole, name)
}

/** A draft within a directory that exists, for files that will be moved into it one by one. */
export async function draftWithin(target: string, name: string): Promise<Draft> {
  return draft(await hiddenPath(resolve(target), 'builder'), resolve(target), name)
}

/** Writes a new file and waits until the disk has it. */
export async function writeDurably(path: string, stream: AsyncIterable<Uint8Array>, name: string): Promise<void> {
  const handle = await open(path, 'w').catch((error) => {
    throw asBuilderError(error, 'write image', name)
  })
  try {
    await writeStream(handle, stream, 0)
    await handle.sync()
  } catch (error) {
    throw error instanceof BuilderError ? error : asBuilderError(error, 'write image', name)
  } finally {
    await handle.close()
  }
}

/** Writes a new file that is named by its digest, in hexadecimal, once that is known, and gives the digest. */
export async function writeNamed(
  folder: string,
  stream: AsyncIterable<Uint8Array>,
  name: string,
): Promise<{ digest: Digest; size: number }> {
  const unfinished = join(folder, `unfinished-${randomUUID()}`)
  const hash = createHash('sha256')
  let size = 0
  async function* hashed() {
    for await (const chunk of stream) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  await writeDurably(unfinished, hashed(), name)
  const digest: Digest = `sha256:${hash.digest('hex')}`
  await rename(unfinished, join(folder, hexOf(digest)))
  return { digest, size }
}

async function draft(path: string, target: string, name: string): Promise<Draft> {
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw missing(name, 'its folder does not exist', 'make it first')
    throw asBuilderError(error, 'write image', name)
  })
  return {
    path,
    async publish({ exchange = false } = { exchange: false }) {
      try {
        if (exchange) rename2(path, target, renameExchange)
        else await rename(path, target)
      } catch (error) {
        throw isTaken(error) ? taken(name, error) : asBuilderError(error, 'write image', name)
      }
      if (exchange) await rm(path, { recursive: true })
    },
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true })
    },
  }
}

const renameExchange = 2

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function taken(object: string, cause: unknown): BuilderError {
  const reason = 'the directory exists'
  const hint = 'write to a new one, or remove this one first'
  return new BuilderError('EXISTS', { operation: 'write image', object, reason, hint, cause })
}
