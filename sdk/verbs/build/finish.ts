import type { StageEnd } from '../../containerfile/job.js'
import { type BuildState, historyOf, timeOf } from '../../containerfile/state.js'
import { assembleImage } from '../../image/assemble.js'
import { editConfig, pair } from '../../image/edit.js'
import { baseAnnotations } from '../../store/base-annotations.js'
import { putBlob } from '../../store/blobs.js'
import { addImage, findImage, type Image, tagImage } from '../../store/images.js'
import { withLock } from '../../store/locks.js'
import type { Store } from '../../store/store.js'
import type { GlobalOptions } from '../global.js'
import type { BuildOptions } from './options.js'

/** How a build's last stage becomes an image. */
export interface Finishing {
  readonly options: BuildOptions
  readonly names: readonly string[]
  readonly epoch: number | undefined
  readonly here: GlobalOptions
}

/**
 * Makes the image of the stage that was asked for and gives it its names. With layers all of it is there already; without
 * them, or for one layer of all, its container is committed.
 */
export async function finishImage(store: Store, end: StageEnd, finishing: Finishing): Promise<Image> {
  const state = withFlags(end.state, finishing.options)
  const { layers = true, squash = false } = finishing.options
  if (layers && !squash) return assembled(store, state, finishing)
  const bench = await end.bench()
  await bench.configure(state.config, state.annotations)
  const { epoch, options, here, names } = finishing
  const [first, ...others] = names
  const { commit } = await import('../commit.js')
  const { id } = await commit(bench.id, first, {
    ...here,
    quiet: true,
    squash,
    omitHistory: options.omitHistory ?? false,
    ...(options.format ? { format: options.format } : {}),
    ...(epoch === undefined ? {} : { timestamp: epoch }),
  })
  let image = await findImage(store, id, 'build')
  for (const name of others) image = await tagImage(store, image, name)
  return image
}

async function assembled(store: Store, state: BuildState, { options, epoch, names }: Finishing): Promise<Image> {
  const now = new Date().toISOString()
  const history = historyOf(state, epoch, now)
  const image = assembleImage({
    config: { ...state.config, rootfs: { type: 'layers', diff_ids: state.layers }, history },
    layers: state.descriptors,
    layer: undefined,
    history: [],
    created: epoch === undefined ? (history.at(-1)?.created ?? now) : timeOf(epoch),
    annotations: { ...state.annotations, ...baseAnnotations(state) },
    format: options.format ?? state.format,
    omitHistory: options.omitHistory ?? false,
  })
  const add = async () => {
    await putBlob(store, image.configBytes)
    return addImage(store, image.manifestBytes, names)
  }
  return withLock(store, 'store', add, { shared: true, purpose: 'build' })
}

/** What the flags say of the image, whatever the file says. */
function withFlags(state: BuildState, { label, annotation = [], unsetenv = [], unsetlabel }: BuildOptions): BuildState {
  const env = unsetenv.map((name) => `${name}-`)
  const config = editConfig(state.config, {
    ...(label ? { label } : {}),
    ...(unsetlabel ? { unsetlabel } : {}),
    ...(env.length > 0 ? { env } : {}),
  })
  const annotations = { ...state.annotations, ...Object.fromEntries(annotation.map(pair)) }
  return { ...state, config, annotations }
}
