import { once as event } from 'node:events'
import type { Writable } from 'node:stream'
import { entryHeader } from './archive-file.js'

/** A tar archive that is sent while it is made: an entry at a time, each of a size that is known before. */
export interface TarStream {
  directory(path: string): Promise<void>
  /** Throws what the stream throws; an entry that is cut short leaves the archive damaged, which its reader sees. */
  file(path: string, size: number, stream: AsyncIterable<Uint8Array>): Promise<void>
  end(): Promise<void>
}

/** Writes an archive to a pipe or a connection, no faster than it takes it. */
export function tarStream(out: Writable): TarStream {
  const write = async (bytes: Uint8Array) => {
    if (out.destroyed || out.writableEnded || out.write(bytes)) return
    const stop = new AbortController()
    // Whoever reads may have gone: what it says in its end is the error that counts.
    await Promise.race(['drain', 'close', 'error'].map((name) => event(out, name, { signal: stop.signal })))
      .catch(() => {})
      .finally(() => stop.abort())
  }
  return {
    directory: (path) => write(entryHeader(path, 'Directory', 0)),
    async file(path, size, stream) {
      await write(entryHeader(path, 'File', size))
      for await (const chunk of stream) await write(chunk)
      await write(Buffer.alloc((512 - (size % 512)) % 512))
    },
    async end() {
      await write(Buffer.alloc(1024))
      out.end()
    },
  }
}
