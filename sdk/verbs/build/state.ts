import type { BuildState } from '../../containerfile/state.js'
import type { Image } from '../../store/images.js'

/** An image of the store as a stage begins with it. `name` is what it was asked for as. */
export function stateOf(image: Image, name = image.names[0] ?? image.id): BuildState {
  return {
    layers: image.config.rootfs.diff_ids,
    descriptors: image.manifest.layers,
    config: image.config,
    annotations: image.manifest.annotations ?? {},
    from: { name, id: image.id, manifestDigest: image.manifestDigest },
    format: image.manifest.mediaType.includes('docker') ? 'docker' : 'oci',
    said: [],
  }
}
