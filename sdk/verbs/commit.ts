import { changesToEdits } from '../image/instruction.js'
import { localName } from '../image/reference.js'
import { findContainer } from '../store/containers.js'
import { addImage, type Image } from '../store/images.js'
import { addToList } from '../store/lists.js'
import { withLock } from '../store/locks.js'
import { type Sealing, seal, sealSquashed } from '../store/seal.js'
import { openStore, type Store } from '../store/store.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import { transportOf } from '../transport/transport-text.js'
import { epochOf } from './epoch.js'
import type { GlobalOptions } from './global.js'
import { showPacking } from './progress/commit.js'
import type { ProgressOptions } from './progress/progress.js'
import { writeResult } from './result-file.js'
import { rm } from './rm.js'
import { reapRuns } from './run/reap.js'
import { besideSteps, untaint } from './step/lock.js'
import { tidyContainer } from './step/seal-container.js'

/** Options of {@link commit}. */
export interface CommitOptions extends GlobalOptions, ProgressOptions, RegistryOptions {
  /** Remove the container afterwards. */
  rm?: boolean
  /** Make one layer of all layers. */
  squash?: boolean
  /**
   * Form of the image's manifest.
   * @short f
   */
  format?: 'oci' | 'docker'
  /** Leave the history out of the image. */
  omitHistory?: boolean
  /**
   * Add the image to a list of images, which is made when it is not there.
   * @placeholder LIST
   */
  manifest?: string
  /**
   * Write the image's ID to a file.
   * @placeholder FILE
   */
  iidfile?: string
  /**
   * Time of the image, in seconds since 1970; files newer than that get it too. Same as --source-date-epoch.
   * @placeholder SECONDS
   */
  timestamp?: number
  /**
   * Time of the image, in seconds since 1970; files newer than that get it too. Default: `SOURCE_DATE_EPOCH`.
   * @placeholder SECONDS
   */
  sourceDateEpoch?: number
  /** Accepted for buildah's scripts: builder always clamps file times to the image's time when one is given. */
  rewriteTimestamp?: boolean
  /**
   * Change of the configuration for this image, as a Containerfile's line: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL,
   * ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR.
   * @placeholder INSTRUCTION
   */
  change?: readonly string[]
  /**
   * Remove an environment variable from the image.
   * @placeholder NAME
   */
  unsetenv?: readonly string[]
  /**
   * Leave layers that were made here as they are, for a destination in a registry too.
   * @short D
   */
  disableCompression?: boolean
}

/** A committed image. */
export interface CommitResult {
  /** 64 hexadecimal digits: the config's digest. */
  readonly id: string
  /** The full name in the store, when one was given. */
  readonly name?: string
  /** Digest of the manifest. */
  readonly digest: string
}

/**
 * Makes an image of a container.
 *
 * The container's changes are read once and become the image's new layer in place, without a copy; the container goes
 * on from the image. With `SOURCE_DATE_EPOCH` (or --timestamp) set, the same content gives the same image ID on every
 * machine. A destination with a transport (`docker://`, `oci:` and the like) is written there as well.
 *
 * Throws `NOT_FOUND` for an unknown container, `INVALID` for a name of the wrong form, `SYSTEM` for a full disk.
 *
 * @verb
 * @where inside
 * @stdout The image's ID.
 * @param container - Name or ID of a container.
 * @param image - Name for the image, or transport:path; without it the image has no name.
 * @example
 * ```sh
 * builder commit --rm "$c" web
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * const { id } = await c.commit('web', { rm: true })
 * ```
 */
export async function commit(container: string, image?: string, options: CommitOptions = {}): Promise<CommitResult> {
  const epoch = epochOf(options, 'commit')
  changesToEdits(options.change ?? [])
  if (options.manifest !== undefined) localName(options.manifest)
  const store = await openStore(options)
  const record = await findContainer(store, container, 'commit')
  const { id, name: called } = record
  const elsewhere = image !== undefined && transportOf(image) !== undefined
  const name = image === undefined || elsewhere ? undefined : localName(image)
  const making = async (onBytes: (bytes: number) => void) => {
    using _ = await besideSteps(store, record, 'commit')
    return await make(store, id, name, options, { ...sealingOf(options, epoch), onBytes })
  }
  const made = await withLock(store, 'store', () => showPacking(options, called, making), {
    shared: true,
    purpose: 'commit',
    ...(options.signal ? { signal: options.signal } : {}),
  })
  if (options.manifest !== undefined) await addToList(store, options.manifest, made, 'commit --manifest')
  if (elsewhere) {
    const { push } = await import('./push.js')
    await push(made.id, image, { ...given(options), ...shown(options), ...reaching(options) })
  }
  if (options.iidfile) await writeResult(options.iidfile, made.id)
  if (options.rm) await rm([id], given(options))
  return { id: made.id, digest: made.manifestDigest, ...(name === undefined ? {} : { name }) }
}

/** What the shell door prints. */
export function present(result: CommitResult): string {
  return result.id
}

async function make(
  store: Store,
  id: string,
  name: string | undefined,
  options: CommitOptions,
  sealing: Sealing,
): Promise<Image> {
  await reapRuns(store)
  await tidyContainer(store, id, options.signal)
  const manifestBytes = await (options.squash ? sealSquashed : seal)(store, id, sealing)
  untaint(store, id)
  return addImage(store, manifestBytes, name === undefined ? [] : [name])
}

function sealingOf(options: CommitOptions, epoch: number | undefined): Sealing {
  return {
    ...(epoch === undefined ? {} : { epoch }),
    ...(options.format ? { format: options.format } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
    omitHistory: options.omitHistory ?? false,
    changes: options.change ?? [],
    unsetenv: options.unsetenv ?? [],
  }
}

/** How a destination in a registry is reached, and what it gets. */
function reaching(options: CommitOptions): RegistryOptions & Pick<CommitOptions, 'disableCompression'> {
  const { authfile, creds, tlsVerify, certDir, disableCompression } = options
  const { registriesConf, registriesConfDir, shortNameAliasConf } = options
  const files = { registriesConf, registriesConfDir, shortNameAliasConf }
  const all = { authfile, creds, tlsVerify, certDir, disableCompression, ...files }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** The global options among a verb's. */
function given({ root, runroot, storageDriver, signal }: CommitOptions): GlobalOptions {
  const all = { root, runroot, storageDriver, signal }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** How progress is to be shown, among the options. */
function shown({ progress, onProgress, quiet }: CommitOptions): ProgressOptions {
  return Object.fromEntries(Object.entries({ progress, onProgress, quiet }).filter(([, value]) => value !== undefined))
}
