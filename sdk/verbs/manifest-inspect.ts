import { BuilderError } from '../errors.js'
import { type Index, isIndex, parseManifest } from '../image/manifest.js'
import { findList } from '../store/lists.js'
import { openStore, type Store } from '../store/store.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import { transportOf } from '../transport/transport-text.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link manifestInspect}. */
export interface ManifestInspectOptions extends GlobalOptions, RegistryOptions {}

/**
 * Shows a list: its images' digests, platforms and notes.
 *
 * The list is in the store, or elsewhere as transport:path. `builder inspect --type image` shows one image.
 *
 * Throws `NOT_FOUND` for an unknown list, `INVALID` for an image.
 *
 * @verb manifest inspect
 * @where outside
 * @stdout JSON: the index.
 * @param list - Name or ID of a list, or transport:path.
 * @example
 * ```sh
 * builder manifest inspect web
 * ```
 * @example
 * ```ts
 * import { manifestInspect } from 'builder-sdk'
 * for (const { digest, platform } of (await manifestInspect('web')).manifests) console.log(digest, platform?.architecture)
 * ```
 */
export async function manifestInspect(list: string, options: ManifestInspectOptions = {}): Promise<Index> {
  const store = await openStore(options)
  if (transportOf(list)) return readElsewhere(store, list, options)
  return (await findList(store, list, 'manifest inspect')).index
}

/** What the shell door prints. */
export function present(result: Index): string {
  return JSON.stringify(result, null, 4)
}

async function readElsewhere(store: Store, list: string, options: ManifestInspectOptions): Promise<Index> {
  const { openSource } = await import('../transport/transport.js')
  const { signal } = options
  await using source = await openSource(store, list, { registry: options, ...(signal ? { signal } : {}) })
  const index = parseManifest((await source.top()).bytes, list)
  if (isIndex(index)) return index
  const reason = 'it is an image, not a list'
  throw new BuilderError('INVALID', { operation: 'manifest inspect', object: list, reason })
}
