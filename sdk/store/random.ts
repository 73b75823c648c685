import { closeSync, openSync, readSync } from 'node:fs'

/**
 * Random hexadecimal digits from the kernel, two a byte; at most 256 bytes (random(4)). What node:crypto gives is as good, but loading that
 * takes longer than the rest of a small verb. Throws system errors.
 */
export function randomHex(bytes: number): string {
  const buffer = Buffer.alloc(bytes)
  const file = openSync('/dev/urandom', 'r')
  try {
    // Up to 256 bytes come whole.
    readSync(file, buffer)
  } finally {
    closeSync(file)
  }
  return buffer.toString('hex')
}
