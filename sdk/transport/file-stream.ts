import { type FileHandle, open } from 'node:fs/promises'

/** The content of a file, opened when it is read and closed when the reader stops. */
export async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path)
  try {
    yield* readRange(handle, 0, Number.POSITIVE_INFINITY)
  } finally {
    await handle.close()
  }
}

/** `size` bytes of an open file from `offset`; fewer when it ends before. */
export async function* readRange(handle: FileHandle, offset: number, size: number): AsyncGenerator<Uint8Array> {
  let done = 0
  while (done < size) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkSize, size - done))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset + done)
    if (bytesRead === 0) return
    done += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** Bytes as a stream of one chunk. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Writes a stream into an open file from `offset`, and gives its size in bytes. Throws `SYSTEM`, and what it throws. */
export async function writeStream(
  handle: FileHandle,
  stream: AsyncIterable<Uint8Array>,
  offset: number,
): Promise<number> {
  let size = 0
  for await (const chunk of stream) {
    await writeAt(handle, chunk, offset + size)
    size += chunk.length
  }
  return size
}

/** Writes all bytes at `offset`. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done)
    done += bytesWritten
  }
}

const chunkSize = 512 * 1024
