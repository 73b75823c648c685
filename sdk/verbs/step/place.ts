import type { Source } from '../../layer/sources.js'
import type { TransplantOptions } from '../../layer/transplant.js'
import { type Content, contentDigest } from '../../steps/content.js'
import { stateDigest } from '../../steps/key.js'
import type { Step, StepInput } from '../../steps/step.js'
import { type ContainerRecord, findContainer, requireContainer } from '../../store/containers.js'
import { findImage } from '../../store/images.js'
import { isMounted, usesOf } from '../../store/mounts.js'
import { hasChanges } from '../../store/seal-step.js'
import type { Store } from '../../store/store.js'
import type { PlacingOptions } from '../placing.js'
import { besideSteps } from './lock.js'

/**
 * What of the options of `copy` and `add` decides the result, beside what is read: all but where things are on this machine
 * and what is left out, which the digest of what is read tells.
 */
export function placingInputs(destination: string, options: PlacingOptions): Step['inputs'] {
  const rest = Object.entries(options).filter(([name, value]) => value !== undefined && !irrelevant.has(name))
  return { destination, ...Object.fromEntries(rest as [string, StepInput][]) }
}

/** Options that say how a verb works, not what it makes. */
export const irrelevant: ReadonlySet<string> = new Set([
  'addHistory',
  'authfile',
  'certDir',
  'contextdir',
  'creds',
  'exclude',
  'from',
  'ignorefile',
  'logLevel',
  'onProgress',
  'progress',
  'quiet',
  'registriesConf',
  'registriesConfDir',
  'root',
  'runroot',
  'shortNameAliasConf',
  'signal',
  'storageDriver',
  'storageOpt',
  'tlsVerify',
])

/** The digest of sources that are about to be placed. */
export function readContent(
  store: Store,
  sources: readonly Source[],
  placing: TransplantOptions,
  options: PlacingOptions,
): Promise<Content> {
  const { mode, ignores, enterIgnored, owner, signal } = placing
  return contentDigest(store, sources, {
    owners: owner || options.chown !== undefined ? 'given' : 'kept',
    ...(mode ? { mode } : {}),
    ...(ignores ? { ignores } : {}),
    ...(enterIgnored === undefined ? {} : { enterIgnored }),
    ...(options.parents === undefined ? {} : { parents: options.parents }),
    ...(signal ? { signal } : {}),
  })
}

/** The same without an owner's name, which only the container knows: that it is given is all that counts here. */
export function withoutNames(options: PlacingOptions): PlacingOptions {
  return options.chown === undefined ? options : { ...options, chown: '0' }
}

/** The inputs of a copy from another container or image that need no reading. Not the same for any two that have changes. */
export async function byOrigin(
  store: Store,
  { from = '', exclude = [], ignorefile }: PlacingOptions,
  paths: readonly string[],
  inputs: Step['inputs'],
): Promise<Step['inputs'] | undefined> {
  const origin = ignorefile === undefined ? await originOf(store, from) : undefined
  return origin === undefined ? undefined : { ...inputs, origin, paths, exclude }
}

/**
 * What `--from` names, by its layers: when those are the same, so is everything in it, and nothing has to be read. Undefined
 * for a container that has changes beside its layers.
 */
export async function originOf(store: Store, name: string): Promise<string | undefined> {
  const record = await findContainer(store, name, 'copy --from').catch(() => undefined)
  if (record) {
    using _ = await besideSteps(store, record, 'copy --from')
    const now = requireContainer(store, record.id)
    return (await isSettled(store, now)) ? stateDigest(now) : undefined
  }
  const { config } = await findImage(store, name, 'copy --from')
  return stateDigest({ layers: config.rootfs.diff_ids, config })
}

async function isSettled(store: Store, record: ContainerRecord): Promise<boolean> {
  return !isMounted(record) && usesOf(store, record.id) === 0 && !(await hasChanges(store, record))
}
