import { BuilderError } from '../errors.js'
import { type Descriptor, mediaTypes } from './descriptor.js'

/**
 * The media type of a layer in a manifest of one family; `operation` is for the message. Throws `UNSUPPORTED` where the
 * family has none, as Docker's for zstd.
 */
export function layerTypeIn(descriptor: Descriptor, format: 'oci' | 'docker', operation: string): string {
  const types = format === 'docker' ? toDocker : toOci
  return types[descriptor.mediaType] ?? refuse(descriptor, format, operation)
}

const { layer, layerGzip, layerZstd, dockerLayer, dockerLayerGzip } = mediaTypes

const toOci: Readonly<Record<string, string>> = {
  [layer]: layer,
  [layerGzip]: layerGzip,
  [layerZstd]: layerZstd,
  [dockerLayer]: layer,
  [dockerLayerGzip]: layerGzip,
}

const toDocker: Readonly<Record<string, string>> = {
  [layer]: dockerLayer,
  [layerGzip]: dockerLayerGzip,
  [dockerLayer]: dockerLayer,
  [dockerLayerGzip]: dockerLayerGzip,
}

function refuse(descriptor: Descriptor, format: string, operation: string): never {
  throw new BuilderError('UNSUPPORTED', {
    operation,
    object: descriptor.digest,
    reason: `a layer of media type ${descriptor.mediaType} cannot be in a ${format} image`,
    hint: format === 'docker' ? 'say --format oci' : 'get the image again with another compression',
  })
}
