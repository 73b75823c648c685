import { BuilderError } from '../../errors.js'
import { formatPlatform, platformMatches } from '../../image/platform.js'
import { caller } from '../../namespace/caller.js'
import { findImageOrList } from '../../store/find-image.js'
import { findImage, type Image } from '../../store/images.js'
import type { Store } from '../../store/store.js'
import { transportOf } from '../../transport/transport-text.js'
import type { FetchOptions, PulledImage } from './pull-fetch.js'

/** When an image is fetched from a registry. */
export type PullPolicy = 'always' | 'missing' | 'never' | 'newer'

/** What is pulled, and how. */
export interface PullImageOptions extends FetchOptions {
  readonly policy?: PullPolicy
}

/**
 * Sees to it that an image is in the store: the one place that knows what a pull policy means. What stands in a file is
 * always read; a name, with or without `docker://`, is taken from the store or from a registry:
 *
 * - `missing`: from the store; from a registry when it is not there, or is for another platform
 * - `never`: from the store
 * - `always`: from a registry
 * - `newer`: from a registry; from the store when none gives it
 *
 * Throws `NOT_FOUND` when it is nowhere, and what {@link fetchImage} throws.
 */
export async function pullImage(store: Store, image: string, options: PullImageOptions): Promise<PulledImage> {
  const { policy = 'missing' } = options
  if (transportOf(image) && !image.startsWith('docker://')) return fetched(store, image, options)
  const local = policy === 'always' ? {} : await findLocal(store, image, options)
  const isPart = policy === 'missing' && options.allPlatforms && local.isPart
  if (local.image && policy !== 'newer' && !isPart) return local.image
  if (local.error && (policy === 'never' || local.isMadeHere)) throw local.error
  try {
    return await fetched(store, image, options, local.error)
  } catch (error) {
    if (!local.image || isPart || !(error instanceof BuilderError) || error.code === 'ABORTED') throw error
    caller().say(`builder: warning: the image in the store is used instead of a newer one: ${error.message}\n`)
    return local.image
  }
}

/** Loaded only where there is something to fetch: it brings every transport along. */
async function fetched(store: Store, image: string, options: PullImageOptions, absent?: BuilderError) {
  const { fetchImage } = await import('./pull-fetch.js')
  return fetchImage(store, image, options, absent)
}

/** What the store has of a name, or why that does not serve. */
interface Local {
  readonly image?: PulledImage
  readonly error?: BuilderError
  /** True for an image that no registry has: all its names are of `localhost/`. */
  readonly isMadeHere?: boolean
  /** True for one image where its registry may have a list. */
  readonly isPart?: boolean
}

async function findLocal(store: Store, image: string, options: PullImageOptions): Promise<Local> {
  try {
    const names = await namesInStore(image)
    const found = await findFirst(store, names, options, image).catch((error) =>
      findCandidate(store, image, options, error),
    )
    const isMadeHere = found.names.every((name) => name.startsWith('localhost/'))
    const error = platformError(found, image, options)
    if (error) return { error, isMadeHere }
    const { id, manifestDigest: digest } = found
    const name =
      found.names.find((known) => names.some((one) => known.includes(one))) ?? found.list?.name ?? found.names[0]
    const isPart = !found.list && !isMadeHere
    return { image: { id, digest, ...(name === undefined ? {} : { name }) }, isPart }
  } catch (error) {
    if (!(error instanceof BuilderError) || error.code !== 'NOT_FOUND') throw error
    return { error, isMadeHere: await isOwnList(store, image) }
  }
}

/** True for a list that was made here, and has no image for the platform. */
async function isOwnList(store: Store, image: string): Promise<boolean> {
  const found = await findImageOrList(store, image, 'pull').catch(() => undefined)
  return found !== undefined && found.names.length > 0 && found.names.every((name) => name.startsWith('localhost/'))
}

/** What comes from a registry has its full name; what is pinned by a digest may have none, and is found by that alone. */
async function namesInStore(image: string): Promise<readonly string[]> {
  const digest = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1]
  const isRemote = image.startsWith('docker://')
  const name = isRemote ? (await import('./pull-names.js')).remoteName(image) : image
  return digest === undefined ? [name] : [name, digest]
}

async function findFirst(
  store: Store,
  [name = '', ...others]: readonly string[],
  options: PullImageOptions,
  asked: string,
): Promise<Image> {
  const { operation, platform } = options
  try {
    return await findImage(store, name, operation, platform)
  } catch (error) {
    if (!(error instanceof BuilderError) || error.code !== 'NOT_FOUND') throw error
    if (others.length > 0) return findFirst(store, others, options, asked)
    if (name === asked) throw error
    const { reason, hint } = error
    throw new BuilderError('NOT_FOUND', { operation, object: asked || '""', reason, ...(hint ? { hint } : {}) })
  }
}

/** A short name may be that of an image which came from where registries.conf says. Throws the error it was given. */
async function findCandidate(store: Store, image: string, options: PullImageOptions, error: unknown): Promise<Image> {
  if (!(error instanceof BuilderError) || error.code !== 'NOT_FOUND') throw error
  const { namesToFetch } = await import('./pull-names.js')
  for (const name of await namesToFetch(image, options).catch(() => []))
    try {
      return await findImage(store, name, options.operation, options.platform)
    } catch (other) {
      if (!(other instanceof BuilderError) || other.code !== 'NOT_FOUND') throw other
    }
  throw error
}

function platformError({ config }: Image, image: string, options: PullImageOptions): BuilderError | undefined {
  const { platform, operation } = options
  if (!platform || platformMatches(platform, config)) return undefined
  return new BuilderError('NOT_FOUND', {
    operation,
    object: image,
    reason: `the image is for ${formatPlatform(config)}, not for the platform asked for, ${formatPlatform(platform)}`,
    hint: 'pull the image for that platform, or leave --platform, --arch and --os out',
  })
}
