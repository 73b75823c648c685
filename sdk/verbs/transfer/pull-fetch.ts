import { BuilderError } from '../../errors.js'
import type { Platform } from '../../image/platform.js'
import { localName } from '../../image/reference.js'
import { findImageOrList } from '../../store/find-image.js'
import type { Store } from '../../store/store.js'
import { copyImage } from '../../transport/copy.js'
import { localListSink } from '../../transport/local-list-sink.js'
import type { RegistryOptions } from '../../transport/registry/access.js'
import { openSource, transportOf } from '../../transport/transport.js'
import type { GlobalOptions } from '../global.js'
import { type ProgressOptions, showProgress } from '../progress/progress.js'
import { namesToFetch, nameToGive } from './pull-names.js'

/** An image that is in the store now. */
export interface PulledImage {
  /** 64 hexadecimal digits. */
  readonly id: string
  /** Digest of the manifest. */
  readonly digest: string
  /** The full name under which it was asked for; undefined when it was named by an ID, or has no name. */
  readonly name?: string
}

/** How an image is fetched. */
export interface FetchOptions extends GlobalOptions, RegistryOptions, ProgressOptions {
  /** The verb, for messages. */
  readonly operation: string
  /** This machine's when absent. */
  readonly platform?: Platform
  /** Every image of an index, and the index itself. */
  readonly allPlatforms?: boolean
}

/**
 * Fetches an image into the store: from where its location says, or, for a plain name, from the first registry that has it.
 * `absent` says why the store's own does not serve. Throws `NOT_FOUND`, `INVALID`, `DIGEST`, `UNSAFE`, `SYSTEM`, `ABORTED`.
 */
export async function fetchImage(
  store: Store,
  image: string,
  options: FetchOptions,
  absent?: BuilderError,
): Promise<PulledImage> {
  if (transportOf(image) && !image.startsWith('docker://')) return fetchOne(store, image, options)
  const names = await candidates(image, options, absent)
  const failures: BuilderError[] = []
  for (const name of names)
    try {
      return await fetchOne(store, `docker://${name}`, options, nameToGive(name))
    } catch (error) {
      if (!(error instanceof BuilderError) || error.code === 'ABORTED') throw error
      failures.push(error)
    }
  throw nowhere(image, failures, options, absent)
}

async function fetchOne(store: Store, text: string, options: FetchOptions, name?: string): Promise<PulledImage> {
  const { signal, platform, operation, allPlatforms = false } = options
  await using source = await openSource(store, text, { registry: options, ...(signal ? { signal } : {}) })
  const names = name === undefined ? namesFor(text, source.suggestedName) : [name]
  await using sink = await localListSink(store, names, text)
  await using progress = showProgress(options, operation)
  const { digest } = await copyImage(source, sink, {
    all: allPlatforms,
    onProgress: progress.onProgress,
    ...(platform ? { platform } : {}),
    ...(signal ? { signal } : {}),
  })
  const [given] = names
  return {
    id: (await findImageOrList(store, digest, operation)).id,
    digest,
    ...(given === undefined ? {} : { name: given }),
  }
}

async function candidates(image: string, options: FetchOptions, absent?: BuilderError): Promise<readonly string[]> {
  try {
    const names = await namesToFetch(image, options)
    if (names.length > 0) return names
  } catch (error) {
    if (!absent || !(error instanceof BuilderError)) throw error
    throw withReason(absent, `${absent.reason}, and ${error.reason}`, nearHint(absent) ?? error.hint, error)
  }
  throw (
    absent ??
    new BuilderError('NOT_FOUND', {
      operation: options.operation,
      object: image,
      reason: 'no registry has names of localhost/: they belong to images that were made here',
      hint: 'name the registry, as docker://HOST/NAME',
    })
  )
}

/** The image's own name, where it carries one. */
function namesFor(text: string, suggested: string | undefined): string[] {
  if (suggested === undefined || text.startsWith('docker://')) return []
  try {
    return [localName(suggested)]
  } catch {
    return []
  }
}

/** One registry's own error says enough; of several each is told. */
function nowhere(
  image: string,
  failures: readonly BuilderError[],
  { operation }: FetchOptions,
  absent?: BuilderError,
): BuilderError {
  const [first] = failures
  if (first && failures.length === 1 && image.startsWith('docker://')) return first
  const told = failures.map(({ message }) => message).join('; ')
  const missing = failures.every(({ code }) => code === 'NOT_FOUND')
  const reason = `${absent ? `${absent.reason}, and ` : ''}no registry gave it: ${told}`
  const hint = absent && nearHint(absent)
  const parts = { operation, object: image, reason, cause: first, ...(hint ? { hint } : {}) }
  return new BuilderError(
    missing ? 'NOT_FOUND' : (failures.find(({ code }) => code !== 'NOT_FOUND')?.code ?? 'SYSTEM'),
    parts,
  )
}

/** A name of the store that was perhaps meant. */
function nearHint({ hint }: BuilderError): string | undefined {
  return hint?.startsWith('did you mean') ? hint : undefined
}

function withReason(
  { code, operation, object }: BuilderError,
  reason: string,
  hint: string | undefined,
  cause: unknown,
) {
  return new BuilderError(code, { operation, object, reason, cause, ...(hint === undefined ? {} : { hint }) })
}
