import { BuilderError } from '../errors.js'

/** The error for a database of packages that cannot be what it says: an incomplete list would be a wrong one. */
export function damagedDatabase(path: string, reason: string, cause?: unknown): BuilderError {
  return new BuilderError('INVALID', {
    operation: 'read packages',
    object: path,
    reason: `the database is damaged: ${reason}`,
    hint: 'make the image again, or rebuild the database with the tools that wrote it',
    cause,
  })
}

/** Throws when a database is larger than any that was ever seen in an image: 1024 MiB, or `mebibytes`. */
export function checkDatabaseSize(path: string, size: number, mebibytes = 1024): void {
  if (size > mebibytes * 2 ** 20) throw damagedDatabase(path, `its ${size} bytes are more than ${mebibytes} MiB`)
}

/** Bytes that the record of one package may have; the largest kernels have 5 million. */
export const recordLimit = 64 * 2 ** 20
