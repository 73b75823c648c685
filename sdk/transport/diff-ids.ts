import { parseConfig } from '../image/config.js'
import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { broken } from './verify.js'

/**
 * The diffIDs that a configuration gives to a manifest's layers, in their order. Throws `INVALID` when the
 * configuration is damaged, has another number of layers, or gives one blob two diffIDs.
 */
export function diffIDsOf(config: Uint8Array, layers: readonly Descriptor[], name: string): readonly Digest[] {
  const { diff_ids } = parseConfig(config, name).rootfs
  if (diff_ids.length !== layers.length)
    throw broken(name, `its manifest has ${layers.length} layers, its configuration ${diff_ids.length}`)
  const first = (digest: Digest) => diff_ids[layers.findIndex((layer) => layer.digest === digest)]
  const twofold = layers.find(({ digest }, i) => first(digest) !== diff_ids[i])
  if (twofold) throw broken(name, `its configuration gives layer ${twofold.digest} two diffIDs`)
  return diff_ids
}
