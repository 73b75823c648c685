/**
 * The blobs of an `ndb` database, which SUSE's rpm writes (`Packages.db`).
 * Source: rpm's lib/backend/ndb/rpmpkg.c. All numbers are little endian.
 */
import type { ImageFile } from '../store/image-files.js'
import { checkDatabaseSize, damagedDatabase, recordLimit } from './damaged.js'

/** The headers in the order of the packages' numbers. Throws `INVALID`. */
export function* ndbBlobs(file: ImageFile): Generator<Buffer, void, undefined> {
  checkDatabaseSize(file.path, file.size)
  const header = file.read(0, 32)
  if (header.length < 32 || header.toString('latin1', 0, 4) !== 'RpmP')
    throw damagedDatabase(file.path, 'it is not an ndb database')
  const version = header.readUInt32LE(4)
  if (version !== 0) throw damagedDatabase(file.path, `its version ${version} is unknown`)
  const length = header.readUInt32LE(12) * pageSize
  if (length > file.size) throw damagedDatabase(file.path, 'it is shorter than it says')
  const slots = file.read(0, length)
  const found: Slot[] = []
  for (let at = 32; at < length; at += 16) {
    if (slots.toString('latin1', at, at + 4) !== 'Slot') throw damagedDatabase(file.path, 'a slot is not marked as one')
    const slot = { number: slots.readUInt32LE(at + 4), start: slots.readUInt32LE(at + 8) * blockSize }
    // A free one.
    if (slot.start > 0) found.push(slot)
  }
  for (const slot of found.sort((a, b) => a.number - b.number)) yield blobOf(file, slot)
}

const pageSize = 4096
const blockSize = 16

interface Slot {
  readonly number: number
  readonly start: number
}

function blobOf(file: ImageFile, { number, start }: Slot): Buffer {
  const head = file.read(start, 16)
  const isBlob = head.length === 16 && head.toString('latin1', 0, 4) === 'BlbS' && head.readUInt32LE(4) === number
  if (!isBlob) throw damagedDatabase(file.path, `package ${number} is not where its slot says`)
  const length = head.readUInt32LE(12)
  if (length > recordLimit) throw damagedDatabase(file.path, `package ${number} has ${length} bytes`)
  const blob = file.read(start + 16, length)
  if (blob.length < length) throw damagedDatabase(file.path, `package ${number} ends too early`)
  return blob
}
