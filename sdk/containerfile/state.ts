import type { History, ImageConfig } from '../image/config.js'
import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import type { ContainerRecord } from '../store/container-record.js'

/** What a stage has come to between two of its instructions: enough to make a container or an image of it. */
export interface BuildState {
  /** diffIDs from the base up. */
  readonly layers: readonly Digest[]
  /** The same layers as a manifest describes them. */
  readonly descriptors: readonly Descriptor[]
  /** `rootfs` and `history` are those of the base; what the stage added is in {@link said}. */
  readonly config: ImageConfig
  /** Annotations of the image to be. */
  readonly annotations: Readonly<Record<string, string>>
  /** The image that all began with; absent for `scratch`. */
  readonly from?: NonNullable<ContainerRecord['from']>
  readonly format: 'oci' | 'docker'
  /** What the stage's instructions did, in their order. */
  readonly said: readonly Said[]
}

/** One entry of the image's history to be. */
export interface Said {
  readonly by: string
  /** When an instruction made a layer: RFC 3339, the time when that was made. */
  readonly layerCreated?: string
}

/**
 * The history of an image: what the base had and what the stage added. An instruction without a layer has the time of the
 * layer before it, or of the one after it where none is before: a build that finds everything in the cache then gives the
 * same image again. With an epoch all times are that.
 */
export function historyOf(state: BuildState, epoch: number | undefined, now: string): readonly History[] {
  const { said, config } = state
  const fixed = epoch === undefined ? undefined : timeOf(epoch)
  let time = said.find(({ layerCreated }) => layerCreated !== undefined)?.layerCreated ?? now
  const added = said.map(({ by, layerCreated }): History => {
    time = layerCreated ?? time
    const entry = { created: fixed ?? time, created_by: by }
    return layerCreated === undefined ? { ...entry, empty_layer: true } : entry
  })
  return [...(config.history ?? []), ...added]
}

/** Seconds since 1970 as RFC 3339 has them. */
export function timeOf(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z')
}
