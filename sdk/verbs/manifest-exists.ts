import { BuilderError } from '../errors.js'
import { findList } from '../store/lists.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link manifestExists}. */
export interface ManifestExistsOptions extends GlobalOptions {}

/** Whether there is a list. */
export interface ManifestExistsResult {
  readonly exists: boolean
  /** 0 when there is, else 1. */
  readonly exitCode: number
}

/**
 * Tells by its exit code whether there is a list of that name: 0 when there is, else 1.
 *
 * Throws `INVALID` when the name is an image's.
 *
 * @verb manifest exists
 * @where outside
 * @param list - Name or ID of a list.
 * @example
 * ```sh
 * builder manifest exists web || builder manifest create web
 * ```
 * @example
 * ```ts
 * import { manifestCreate, manifestExists } from 'builder-sdk'
 * const { exists } = await manifestExists('web')
 * if (!exists) await manifestCreate('web')
 * ```
 */
export async function manifestExists(list: string, options: ManifestExistsOptions = {}): Promise<ManifestExistsResult> {
  const store = await openStore(options)
  try {
    await findList(store, list, 'manifest exists')
    return { exists: true, exitCode: 0 }
  } catch (error) {
    if (error instanceof BuilderError && error.code === 'NOT_FOUND') return { exists: false, exitCode: 1 }
    throw error
  }
}

/** What the shell door prints. */
export function present(): string {
  return ''
}
