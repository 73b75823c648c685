import { createGunzip } from 'node:zlib'
import { Readable } from 'node:stream'
export function compressionOf(b: Uint8Array): string { return b[0] === 0x1f && b[1] === 0x8b ? 'gzip' : 'none' }
export async function* decompress(s: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const it = s[Symbol.asyncIterator](); const first = await it.next()
  if (first.done) return
  async function* all() { yield first.value; for (;;) { const n = await it.next(); if (n.done) return; yield n.value } }
  if (compressionOf(first.value) === 'gzip') yield* Readable.from(all()).pipe(createGunzip())
  else yield* all()
}
