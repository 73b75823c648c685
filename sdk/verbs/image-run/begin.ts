import type { ImageConfig } from '../../image/config.js'
import { pair } from '../../image/edit.js'
import { caller } from '../../namespace/caller.js'
import { superPrivileged } from '../../runlabel/super-privileged.js'
import { type ContainerRecord, createContainer, findContainer, removeContainer } from '../../store/containers.js'
import { findImage } from '../../store/images.js'
import { withLock } from '../../store/locks.js'
import { abandonMount, usesOf } from '../../store/mounts.js'
import { self } from '../../store/owner.js'
import { openStore, type Store } from '../../store/store.js'
import { fromImage } from '../from.js'
import { rm } from '../rm.js'
import { beginRun } from '../run/begin.js'
import type { BegunRun } from '../run/begun.js'
import { reapContainers, reapRuns } from '../run/reap.js'
import { pullImage } from '../transfer/pull-image.js'
import type { RunImageOptions } from './options.js'
import { commandOf, imageRunOf, runOptionsOf } from './settings.js'
import { missingPrivileges } from './spc.js'

/** A container that was made to run an image in. */
export interface ImageContainer {
  readonly record: ContainerRecord
  /** The words that are started in it. */
  readonly args: readonly string[]
  /** With everything that follows from `--spc`. */
  readonly options: RunImageOptions
}

/**
 * Makes a container and starts to run an image in it: `endRun` with the token of what is given back removes it again, unless `rm` is
 * false. Throws what `runImage` throws.
 */
export async function beginImageRun(
  image: string,
  command: readonly string[],
  asked: RunImageOptions,
): Promise<BegunRun> {
  const store = await openStore(asked)
  const made = await makeImageContainer(store, image, command, asked, asked.rm ?? true)
  return beginInContainer(store, made, asked.rm ?? true)
}

/** Finds the image and makes its container. One that `goes` is nobody's when this process is gone. */
export async function makeImageContainer(
  store: Store,
  image: string,
  command: readonly string[],
  asked: RunImageOptions,
  goes: boolean,
): Promise<ImageContainer> {
  await reapRuns(store)
  await reapContainers(store)
  const { pull = 'missing', ...rest } = asked
  const pulled = await pullImage(store, image, { ...rest, operation: 'run-image', policy: pull })
  const found = await findImage(store, pulled.digest, 'run-image')
  const isNumber = /^(sha256:)?[0-9a-f]{12,64}$/.test(image)
  const options = superPrivileged(isNumber ? (pulled.name ?? found.names[0] ?? image) : image, asked)
  const args = commandOf(image, found.config.config ?? {}, command, options.entrypoint)
  // What is wrongly written is said before there is a container.
  imageRunOf(options, found.config.config ?? {})
  if (options.replace && options.name !== undefined) await removeNamed(options.name, options)
  const sharing = { shared: true, purpose: 'run-image', ...(options.signal ? { signal: options.signal } : {}) }
  const fields = fromImage(found, pulled)
  const record = await withLock(
    store,
    'store',
    () =>
      createContainer(store, {
        ...fields,
        config: labelled(fields.config, options.label ?? []),
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(goes ? { owner: self() } : {}),
      }),
    sharing,
  )
  const missing = missingPrivileges(options)
  if (missing) caller().say(`builder: ${missing}\n`)
  return { record, args, options }
}

/** Starts the words in the container. */
export async function beginInContainer(
  store: Store,
  { record, args, options }: ImageContainer,
  goes: boolean,
  inBackground = false,
): Promise<BegunRun> {
  const remove = async () => {
    if (goes) await removed(store, record)
  }
  try {
    const image = imageRunOf(options, record.config.config ?? {})
    const begun = await beginRun(record.id, args, runOptionsOf(options, record.id), {
      image,
      inBackground,
      atEnd: remove,
    })
    return options.interactive || options.tty
      ? begun
      : { ...begun, argv: ['sh', '-c', withoutInput, 'sh', ...begun.argv] }
  } catch (error) {
    await remove()
    throw error
  }
}

/** As podman has it: a command reads the caller's input only when that was asked for. */
const withoutInput = 'exec "$@" </dev/null'

async function removed(store: Store, record: ContainerRecord): Promise<void> {
  // Another builder command works in it: then it goes with that one's end, when the next builder tidies up.
  if (usesOf(store, record.id) > 0) return
  await abandonMount(store, record)
  await removeContainer(store, record)
}

async function removeNamed(name: string, options: RunImageOptions): Promise<void> {
  const { root, runroot, storageDriver } = options
  const places = Object.fromEntries(
    Object.entries({ root, runroot, storageDriver }).filter(([, one]) => one !== undefined),
  )
  const store = await openStore(places)
  const isThere = await findContainer(store, name, 'run-image').catch(() => undefined)
  if (isThere?.name === name) await rm([isThere.id], { ...places, force: true })
}

function labelled(config: ImageConfig, labels: readonly string[]): ImageConfig {
  if (labels.length === 0) return config
  const added = Object.fromEntries(labels.map((text) => pair(text)))
  return { ...config, config: { ...config.config, Labels: { ...config.config?.Labels, ...added } } }
}
