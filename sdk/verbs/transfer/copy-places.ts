import { BuilderError } from '../../errors.js'
import { localName } from '../../image/reference.js'
import type { Store } from '../../store/store.js'
import { localSource } from '../../transport/local.js'
import { localListSink } from '../../transport/local-list-sink.js'
import { usage } from '../../transport/location.js'
import type { ImageSink } from '../../transport/sink.js'
import type { ImageSource } from '../../transport/source.js'
import { type OpenOptions, openSink, openSource, transportOf } from '../../transport/transport.js'
import { remoteName } from './pull-names.js'

/** Opens a place to read: a name without a transport is an image of the store, or a list with all its images. */
export async function sourceAt(store: Store, place: string, options: OpenOptions): Promise<ImageSource> {
  return transportOf(place) ? openSource(store, place, options) : localSource(store, place, { all: true })
}

/** Opens a place to write to: a name without a transport is one in the store, for an image or a list. */
export async function sinkAt(store: Store, place: string, options: OpenOptions): Promise<ImageSink> {
  return transportOf(place) ? openSink(store, place, options) : localListSink(store, [localName(place)], place)
}

/** Both places must be written rightly before either is touched. Throws `USAGE`, `UNSUPPORTED`. */
export function checkPlaces(...places: readonly string[]): void {
  for (const place of places) {
    const found = transportOf(place)
    if (place.startsWith('docker://')) remoteName(place)
    else if (found?.rest === '') throw usage(place, 'it has no path', `write ${place}PATH`)
  }
}

/** One platform, or all of them. Throws `USAGE`. */
export function checkPlatforms(operation: string, platform: string | undefined, all: boolean, flag = '--all'): void {
  if (platform === undefined || !all) return
  const object = `--platform ${platform}`
  throw new BuilderError('USAGE', { operation, object, reason: `it excludes ${flag}`, hint: 'leave one of them out' })
}
