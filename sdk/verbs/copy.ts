import { closureOf } from '../distro/closure.js'
import { BuilderError } from '../errors.js'
import { withoutIgnored } from '../layer/left-out.js'
import { findSources, type Source } from '../layer/sources.js'
import { Transplant } from '../layer/transplant.js'
import { findContainer } from '../store/containers.js'
import { useRoot } from '../store/mounts.js'
import { openStore } from '../store/store.js'
import { otherRoot } from './other-root.js'
import { contextRules, copyAll, destinationOf, noteHistory, type PlacingOptions, placing } from './placing.js'

/** Options of {@link copy}. */
export interface CopyOptions extends PlacingOptions {
  /** Copy programs of this machine to their own paths, with the shared libraries and interpreters that they need. */
  closure?: boolean
}

/** What was copied. */
export interface CopyResult {
  /** Digest over names, modes, owners and content of all that was copied. */
  readonly digest: string
}

/**
 * Copies files and folders into a container.
 *
 * A folder's content goes into the destination; several sources, or a destination that ends in `/`, mean a folder. Without
 * a destination it is the container's working folder. Owner is root unless --chown or --from says otherwise; modes, times,
 * links and extended attributes are kept. With --closure the sources are programs and there is no destination.
 *
 * Throws `NOT_FOUND` for a container or a source that is not there, `INVALID` where a folder is in a file's way, `ID_MAP`
 * for an owner outside the id map.
 *
 * @verb
 * @where inside
 * @stdout The digest of what was copied.
 * @param container - Name or ID of a container.
 * @param paths - Sources, and the destination last.
 * @example
 * ```sh
 * builder copy --chown www-data "$c" site/ /srv/
 * builder copy --closure "$c" /usr/bin/curl
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.copy('site/', '/srv/', { chmod: 'u=rwX,go=rX' })
 * ```
 */
export async function copy(
  container: string,
  paths: readonly string[],
  options: CopyOptions = {},
): Promise<CopyResult> {
  const store = await openStore(options)
  const record = await findContainer(store, container, 'copy')
  await using root = await useRoot(store, record.id, options.signal)
  await using other = options.from === undefined ? undefined : await otherRoot(store, options.from, options.signal)
  const transplant = new Transplant(root.path, await placing(root.path, options))
  if (options.closure) await copyClosure(transplant, paths)
  else {
    const found = findAll(paths, other?.path ?? options.contextdir)
    const sources = withoutIgnored(found, paths.slice(0, -1), await contextRules(options), 'copy')
    await copyAll(transplant, sources, destinationOf(record, paths), options)
  }
  const digest = transplant.finish()
  if (options.addHistory) await noteHistory(store, record, `COPY ${digest} in ${paths.at(-1)}`)
  return { digest }
}

/** What the shell door prints. */
export function present(result: CopyResult, options: CopyOptions): string {
  return options.quiet || options.addHistory ? '' : result.digest
}

function findAll(paths: readonly string[], context: string | undefined): Source[] {
  const sources = paths.length > 1 ? paths.slice(0, -1) : paths
  if (sources.length > 0) return findSources(sources, context, 'copy')
  const hint = 'write builder copy CONTAINER SOURCE… DESTINATION'
  throw new BuilderError('USAGE', { operation: 'copy', object: '', reason: 'no source is named', hint })
}

async function copyClosure(transplant: Transplant, programs: readonly string[]): Promise<void> {
  const { files, links } = await closureOf(programs)
  for (const { path, target } of links) transplant.link(target, path)
  for (const file of files) await transplant.file(file, file)
}
