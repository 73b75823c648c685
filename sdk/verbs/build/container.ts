import type { BuildState } from '../../containerfile/state.js'
import type { Bench, PlaceWork, RunWork } from '../../containerfile/workshop.js'
import type { ImageConfig } from '../../image/config.js'
import { digestOf } from '../../image/digest.js'
import { Transplant } from '../../layer/transplant.js'
import { resolveUser } from '../../runtime/user.js'
import { type ContainerRecord, createContainer, removeContainer, updateContainer } from '../../store/containers.js'
import { abandonMount, useRoot } from '../../store/mounts.js'
import { self } from '../../store/owner.js'
import { randomHex } from '../../store/random.js'
import { parseImage } from '../../store/read-image.js'
import { seal } from '../../store/seal.js'
import type { Store } from '../../store/store.js'
import type { GlobalOptions } from '../global.js'
import { beginRun, endRun } from '../run/begin.js'
import { execute } from '../run/execute.js'
import { sealContainer, tidyContainer } from '../step/seal-container.js'
import type { BuildOptions } from './options.js'
import { placeFiles } from './place.js'
import { checkProgram } from './platform.js'
import { rootsIn } from './run.js'
import { runFiles, runOptions } from './run-options.js'
import { stateOf } from './state.js'

/** Makes the working container of a stage. Disposing of it removes it. */
export async function makeContainer(
  store: Store,
  state: BuildState,
  options: BuildOptions,
  epoch: number | undefined,
): Promise<Bench> {
  return new Container(store, await newContainer(store, state), state.config, options, epoch)
}

async function newContainer(store: Store, state: BuildState): Promise<ContainerRecord> {
  const { layers, descriptors, config, annotations, from, format } = state
  return createContainer(store, {
    ...(from ? { from } : {}),
    name: `build-${randomHex(6)}`,
    layers,
    layerDescriptors: descriptors,
    config: { ...config, rootfs: { type: 'layers', diff_ids: layers } },
    annotations,
    format,
    owner: self(),
  })
}

/** A working container of a build. */
class Container implements Bench {
  readonly id: string
  readonly #name: string
  #config: ImageConfig
  #removed: Promise<void> | undefined

  constructor(
    readonly store: Store,
    { id, name }: ContainerRecord,
    config: ImageConfig,
    readonly options: BuildOptions,
    readonly epoch: number | undefined,
  ) {
    this.id = id
    this.#name = name
    this.#config = config
  }

  async run(work: RunWork, signal: AbortSignal): Promise<number> {
    await checkProgram(work.argv, { store: this.store, id: this.id, config: this.#config, signal })
    const options = { ...this.#here(signal), ...runOptions(work, this.options) }
    const begun = await beginRun(this.id, work.argv, options, {
      files: runFiles(work),
      rootOf: rootsIn(this.store, work),
    })
    try {
      const { exitCode } = await execute(begun, { stdio: 'pipe', signal, grace: 0, onOutput: work.onOutput })
      return exitCode
    } finally {
      await endRun(begun.token)
    }
  }

  place(work: PlaceWork, signal: AbortSignal): Promise<void> {
    return placeFiles(this.store, this.id, work, this.#here(signal))
  }

  async makeFolder(path: string, signal: AbortSignal): Promise<void> {
    await using root = await useRoot(this.store, this.id, signal)
    const owner = resolveUser(root.path, this.#config.config?.User)
    const transplant = new Transplant(root.path, { owner })
    transplant.directory(path)
    transplant.finish()
  }

  async configure(config: ImageConfig, annotations?: ContainerRecord['annotations']): Promise<void> {
    if (this.#config === config && !annotations) return
    await updateContainer(this.store, this.id, (record) => {
      const { rootfs, history = [] } = record.config
      return { ...record, config: { ...config, rootfs, history }, ...(annotations ? { annotations } : {}) }
    })
    this.#config = config
  }

  seal(epoch: number | undefined, signal: AbortSignal) {
    return sealContainer(this.store, this.id, { ...(epoch === undefined ? {} : { epoch }), signal })
  }

  async image(signal: AbortSignal): Promise<BuildState> {
    const { store, id, epoch } = this
    await tidyContainer(store, id, signal)
    const sealing = { omitHistory: false, changes: [], unsetenv: [], signal, ...(epoch === undefined ? {} : { epoch }) }
    const bytes = await seal(store, id, sealing)
    return stateOf(await parseImage(store, bytes, digestOf(bytes), []))
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#removed ??= this.#remove()
    return this.#removed
  }

  async #remove(): Promise<void> {
    const { store, id } = this
    const record = { id, name: this.#name }
    await abandonMount(store, record)
    await removeContainer(store, record)
  }

  #here(signal: AbortSignal): GlobalOptions {
    const { root, runroot, driver } = this.store
    return { root, runroot, signal, ...(driver ? { storageDriver: driver } : {}) }
  }
}
