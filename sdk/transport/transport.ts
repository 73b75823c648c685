import { localName } from '../image/reference.js'
import type { Store } from '../store/store.js'
import { containersStorageSource } from './containers-storage.js'
import { containersStorageSink } from './containers-storage-sink.js'
import { dirSink, dirSource } from './dir.js'
import { dockerArchiveSource } from './docker-archive.js'
import { dockerArchiveSink } from './docker-archive-sink.js'
import { dockerDaemonSource } from './docker-daemon.js'
import { dockerDaemonSink } from './docker-daemon-sink.js'
import { dockerSink } from './docker-sink.js'
import { dockerSource, type OpenOptions } from './docker-source.js'
import { localSource } from './local.js'
import { localSink } from './local-sink.js'
import { parseLocation, usage } from './location.js'
import { ociSink, ociSource } from './oci.js'
import { ociArchiveSink, ociArchiveSource } from './oci-archive.js'
import { ostreeSource } from './ostree.js'
import { ostreeSink } from './ostree-sink.js'
import { parseDockerName } from './registry/docker-name.js'
import type { ImageSink } from './sink.js'
import type { ImageSource } from './source.js'
import { transportOf } from './transport-text.js'

export { type CopyOptions, type CopyProgress, copyImage } from './copy.js'
export { type DockerArchive, dockerArchive } from './docker-archive-writer.js'
export type { OpenOptions } from './docker-source.js'
export type { CopyPlan, ImageSink, PlannedImage } from './sink.js'
export type { ImageSource, Top } from './source.js'
export { type TransportName, type TransportText, transportOf, transports } from './transport-text.js'

/**
 * Opens an image to read: `docker://registry/name`, `oci:path:ref` and so on, or the name or ID of an image in the store.
 * Throws `NOT_FOUND`,
 * `INVALID`, `USAGE`, `UNSUPPORTED`.
 *
 * @example
 * ```ts
 * import { openStore } from '../store/store.js'
 * import { copyImage, openSink, openSource } from './transport.js'
 * const store = await openStore()
 * await using source = await openSource(store, 'oci-archive:web.tar')
 * await using sink = await openSink(store, 'oci:layout:web')
 * await copyImage(source, sink)
 * ```
 */
export async function openSource(store: Store, text: string, options: OpenOptions = {}): Promise<ImageSource> {
  const found = transportOf(text)
  if (!found) return localSource(store, text)
  const { transport, rest } = found
  if (transport === 'docker') return dockerSource(parseDockerName(rest), text, options)
  if (transport === 'dir') return dirSource(path(rest), text)
  if (transport === 'containers-storage') return containersStorageSource(store, rest, text)
  if (transport === 'docker-daemon') return dockerDaemonSource(store, rest, text)
  if (transport === 'ostree') return ostreeSource(rest, text)
  const location = parseLocation(rest, transport)
  if (transport === 'oci') return ociSource(location, text)
  if (transport === 'oci-archive') return ociArchiveSource(store, location, text)
  return dockerArchiveSource(store, location, text)
}

/**
 * Opens a place to write an image to, or the store itself, where the image gets the name that is given. Dispose of it
 * in any case. Throws `EXISTS`, `NOT_FOUND`, `USAGE`, `UNSUPPORTED`.
 */
export async function openSink(store: Store, text: string, options: OpenOptions = {}): Promise<ImageSink> {
  const found = transportOf(text)
  if (!found) return localSink(store, [localName(text)], text)
  const { transport, rest } = found
  if (transport === 'docker') return dockerSink(parseDockerName(rest), text, options)
  if (transport === 'dir') return dirSink(path(rest), text)
  if (transport === 'containers-storage') return containersStorageSink(store, rest, text)
  if (transport === 'docker-daemon') return dockerDaemonSink(store, rest, text)
  if (transport === 'ostree') return ostreeSink(store, rest, text)
  const location = parseLocation(rest, transport)
  if (transport === 'oci') return ociSink(store, location, text)
  if (transport === 'oci-archive') return ociArchiveSink(store, location, text)
  return dockerArchiveSink(store, location, text)
}

/** A directory has no refs: all that follows is its path. */
function path(rest: string): string {
  if (rest === '') throw usage('dir:', 'it has no path', 'write dir:PATH')
  return rest
}
