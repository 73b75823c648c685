import { statfsSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import type { Store } from '../store/store.js'

/** Most bytes that the tar of a layer may have, and which of the two reasons it is. */
export interface LayerLimit {
  readonly bytes: number
  readonly reason: 'disk' | 'ratio'
  /** How many times the bytes of its blob. */
  readonly ratio: number
}

/**
 * What a layer may grow to: 200 times the bytes of its blob, or `BUILDER_LAYER_RATIO` times (0: any), at least 256 MiB;
 * and never more than nine tenths of the bytes that are free on the store's disk. Layers of programs reach 20 times; deflate
 * can reach 1032 times, with nothing but zeros. Throws `USAGE` for a variable that is no number.
 */
export function layerLimit(store: Store, { size }: Descriptor): LayerLimit {
  const ratio = givenRatio()
  const { bavail, bsize } = statfsSync(store.root)
  const free = Math.floor(bavail * bsize * usableShare)
  const most = ratio === 0 ? Number.POSITIVE_INFINITY : Math.max(always, size * ratio)
  return free < most ? { bytes: free, reason: 'disk', ratio } : { bytes: most, reason: 'ratio', ratio }
}

/** A layer that grows beyond its limit. Nobody waits for the rest of its blob. */
export class TooMuch extends BuilderError {
  constructor({ digest, size }: Descriptor, { bytes, reason, ratio }: LayerLimit) {
    const parts = { operation: 'unpack layer', object: digest }
    const found = `its ${size} bytes decompress to more than ${bytes}`
    if (reason === 'disk')
      super('SYSTEM', {
        ...parts,
        reason: `${found}, nine tenths of what the store's disk has free`,
        hint: 'if you trust the image, free some space or choose another store with --root',
      })
    else
      super('UNSAFE', {
        ...parts,
        reason: `${found}, more than ${ratio} times as many: it looks like a decompression bomb`,
        hint: 'if you trust the image, allow more with BUILDER_LAYER_RATIO=1100 (0: any size)',
      })
  }
}

function givenRatio(): number {
  const given = process.env.BUILDER_LAYER_RATIO
  if (given === undefined || given === '') return usualRatio
  if (/^\d{1,9}$/.test(given)) return Number(given)
  const reason = `BUILDER_LAYER_RATIO is ${JSON.stringify(given)}, not a whole number`
  const hint = 'set it to a number such as 200, to 0 for no limit, or unset it'
  throw new BuilderError('USAGE', { operation: 'unpack layer', object: '', reason, hint })
}

const usualRatio = 200
/** Bytes, which no ratio forbids: small layers that hold little are many times larger than their blobs. */
const always = 256 * 1024 * 1024
/** Of the free bytes; the rest is for directories and for others. */
const usableShare = 0.9
