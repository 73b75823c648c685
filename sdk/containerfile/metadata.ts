import { canonicalJson } from '../image/config.js'
import type { Descriptor } from '../image/descriptor.js'
import { formatPlatform } from '../image/platform.js'
import { descriptorOf } from '../store/images.js'
import type { Image } from '../store/read-image.js'
import { type ImageList, isList } from '../store/read-list.js'

/** What a build made: an image, or the list of images of several platforms. */
export type Built = Image | ImageList

/**
 * What `--iidfile` holds: the image's ID as `sha256:HEX`, of several platforms the digest of their list, as docker and
 * buildah write it.
 */
export function iidText(built: Built): string {
  return isList(built) ? built.digest : `sha256:${built.id}`
}

/**
 * What `--metadata-file` holds: JSON with the keys that docker's `--metadata-file` has, as far as they say something here.
 * Source: Docker reference, docker buildx build, "--metadata-file".
 */
export function metadataText(built: Built, names: readonly string[], members: readonly Image[] = []): string {
  const descriptor = describe(built)
  const configs = isList(built)
    ? members.map((member) => [`containerimage.config.digest/${formatPlatform(member.config)}`, `sha256:${member.id}`])
    : [['containerimage.config.digest', `sha256:${built.id}`]]
  const metadata = {
    ...Object.fromEntries(configs),
    'containerimage.descriptor': descriptor,
    'containerimage.digest': descriptor.digest,
    ...(names.length > 0 ? { 'image.name': names.join(',') } : {}),
  }
  return `${JSON.stringify(JSON.parse(canonicalJson(metadata)), null, 2)}\n`
}

function describe(built: Built): Descriptor {
  if (!isList(built)) return descriptorOf(built)
  const mediaType = built.index.mediaType ?? 'application/vnd.oci.image.index.v1+json'
  return { mediaType, digest: built.digest, size: built.size }
}
