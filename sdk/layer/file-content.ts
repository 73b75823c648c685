import { closeSync, constants, fchmodSync, fchownSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { type Path, setMtime, setXattr } from '../namespace/libc.js'
import type { Content, Member } from './read.js'

/** A new file that takes its content; long runs of zeros become holes. The file must not be there yet (EEXIST). */
export class FileContent implements Content {
  readonly #path: Path
  readonly #member: Member
  readonly #xattrs: ReadonlyMap<string, string>
  readonly #file: number
  #written = 0

  constructor(path: Path, member: Member, xattrs: ReadonlyMap<string, string>) {
    this.#path = path
    this.#member = member
    this.#xattrs = xattrs
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
    this.#file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  }

  write(bytes: Buffer, position: number): void {
    let from = 0
    for (let at = 0; at + holeSize <= bytes.length; at += holeSize) {
      if (bytes[at] !== 0 || zeros.compare(bytes, at, at + holeSize) !== 0) continue
      if (at > from) this.#put(bytes.subarray(from, at), position + from)
      from = at + holeSize
    }
    if (from < bytes.length) this.#put(bytes.subarray(from), position + from)
  }

  /** Owner before mode and mode before attributes: each clears or changes some of the one after it. */
  end(): void {
    const { uid, gid, mode, mtime, size } = this.#member
    if (this.#written < size) ftruncateSync(this.#file, size)
    fchownSync(this.#file, uid, gid)
    fchmodSync(this.#file, mode)
    for (const [name, value] of this.#xattrs) setXattr(this.#path, name, Buffer.from(value, 'latin1'))
    setMtime(this.#file, mtime)
    closeSync(this.#file)
  }

  discard(): void {
    closeSync(this.#file)
  }

  #put(bytes: Buffer, position: number): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#file, bytes, done, bytes.length - done, position + done)
    this.#written = position + bytes.length
  }
}

/** Bytes; pieces of content are multiples of it, from the start of the file, but for the last one. */
const holeSize = 64 * 1024
const zeros = Buffer.alloc(holeSize)
