import { BuilderError } from '../../errors.js'
import type { Descriptor } from '../../image/descriptor.js'
import { hostPlatform, type Platform } from '../../image/platform.js'
import { chooseImage, readTop } from '../../transport/choose.js'
import { inFormat } from '../../transport/convert.js'
import { copyImage } from '../../transport/copy.js'
import type { ImageSink } from '../../transport/sink.js'
import type { ImageSource } from '../../transport/source.js'
import { type ProgressOptions, showProgress } from '../progress/progress.js'

/** How an image changes on its way: what push, image copy and sync share. */
export interface TransferOptions extends ProgressOptions {
  /**
   * Media types of the manifest: OCI's, or Docker's (v2s2). Default: those it has.
   * @short f
   */
  format?: 'oci' | 'v2s2'
  /**
   * How layers that are not compressed are to be compressed. Default: gzip for a registry; elsewhere they stay as they are.
   * @flag compression-format dest-compress-format
   */
  compressionFormat?: 'gzip' | 'zstd' | 'none'
  /**
   * How hard to compress: 1 to 9 for gzip, 1 to 22 for zstd.
   * @flag compression-level dest-compress-level
   * @placeholder LEVEL
   */
  compressionLevel?: number
  /**
   * Compress layers anew that are compressed in another way.
   * @flag force-compression dest-force-compress-format
   */
  forceCompression?: boolean
}

/** What is copied of a source, and in whose name. */
export interface Transfer {
  /** The verb, for messages. */
  readonly operation: string
  /** Where to, as the user wrote it. */
  readonly destination: string
  readonly all?: boolean
  readonly platform?: Platform
  readonly preserveDigests?: boolean
  readonly signal?: AbortSignal | undefined
}

/** Copies an image, shows how far it is, and gives the descriptor of what is at the destination. Throws as `copyImage`. */
export async function transferImage(
  source: ImageSource,
  sink: ImageSink,
  options: TransferOptions,
  transfer: Transfer,
): Promise<Descriptor> {
  const { operation, destination, all = false, platform, preserveDigests = false, signal } = transfer
  const which = { all, ...(platform ? { platform } : {}) }
  const { format } = options
  const converted = format ? inFormat(all ? source : chosen(source, platform), format) : source
  const compression = compressionFor(options, destination, preserveDigests)
  await using progress = showProgress(options, operation)
  return await copyImage(converted, sink, {
    ...which,
    ...(compression ? { compression } : {}),
    ...(preserveDigests ? { preserveDigests } : {}),
    ...(signal ? { signal } : {}),
    onProgress: progress.onProgress,
  })
}

/** Of an index only the one image, so that no other needs to be read and converted. */
function chosen(source: ImageSource, platform: Platform = hostPlatform()): ImageSource {
  return {
    ...source,
    async top() {
      const { bytes, descriptor } = await chooseImage(source, await readTop(source), platform)
      return { bytes, mediaType: descriptor.mediaType, digest: descriptor.digest }
    },
  }
}

/** Refuses flags that cannot be together, before anything is opened. Throws `USAGE`. */
export function checkTransfer(options: TransferOptions, operation: string, preserveDigests = false): void {
  const { format, compressionFormat, compressionLevel, forceCompression } = options
  const refuse = (object: string, reason: string, hint: string) => {
    throw new BuilderError('USAGE', { operation, object, reason, hint })
  }
  if (compressionLevel !== undefined) {
    const most = compressionFormat === 'zstd' ? 22 : 9
    const object = `--compression-level ${compressionLevel}`
    if (compressionFormat === 'none') refuse(object, 'with --compression-format none nothing is compressed', drop)
    if (!Number.isInteger(compressionLevel) || compressionLevel < 1 || compressionLevel > most)
      refuse(object, `it is not a number from 1 to ${most}`, `${compressionFormat ?? 'gzip'} has no others`)
  }
  if (format === 'v2s2' && compressionFormat === 'zstd')
    refuse('--format v2s2', "Docker's manifests have no zstd layers", 'use --format oci, or --compression-format gzip')
  const changes = { format, 'compression-format': compressionFormat, 'force-compression': forceCompression }
  const [changing] = Object.entries(changes).find(([, value]) => value !== undefined && value !== false) ?? []
  if (preserveDigests && changing)
    refuse('--preserve-digests', `it excludes --${changing}, which changes digests`, drop)
}

const drop = 'leave one of them out'

function compressionFor(options: TransferOptions, destination: string, preserveDigests: boolean) {
  const { compressionFormat, compressionLevel: level, forceCompression: force } = options
  if (preserveDigests) return undefined
  const isAsked = compressionFormat !== undefined || level !== undefined || force
  if (!isAsked && !destination.startsWith('docker://')) return undefined
  const format = compressionFormat ?? 'gzip'
  return { format, ...(level === undefined ? {} : { level }), ...(force === undefined ? {} : { force }) }
}
