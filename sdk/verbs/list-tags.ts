import { BuilderError } from '../errors.js'
import { formatReference } from '../image/reference.js'
import { openStore } from '../store/store.js'
import { listTags as tagsAt } from '../transport/docker.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import { transportOf } from '../transport/transport-text.js'
import type { GlobalOptions } from './global.js'
import { namesInFile } from './transfer/list-tags-file.js'
import { remoteReference } from './transfer/pull-names.js'

/** Options of {@link listTags}. */
export interface ListTagsOptions extends GlobalOptions, RegistryOptions {}

/** The tags of a repository, or the names in a file. */
export interface TagList {
  /** The repository with its registry; absent for a file. */
  readonly Repository?: string
  readonly Tags: readonly string[]
}

/**
 * Lists the tags of a repository in a registry, or the names of the images in a file.
 *
 * The place is `docker://REGISTRY/NAME` without a tag, or `docker-archive:FILE`, `oci:PATH` or `oci-archive:FILE`.
 *
 * Throws `NOT_FOUND` for a repository or a file that is not there, `USAGE` for a place that has no tags, `SYSTEM` when the
 * registry cannot be reached or refuses.
 *
 * @verb
 * @where outside
 * @stdout JSON with `Repository` and `Tags`, as skopeo's.
 * @param source - docker:// and a repository, or transport:path.
 * @example
 * ```sh
 * builder list-tags docker://quay.io/fedora/fedora | jq -r '.Tags[]'
 * ```
 * @example
 * ```ts
 * import { listTags } from 'builder-sdk'
 * const { Tags } = await listTags('docker://quay.io/fedora/fedora')
 * ```
 */
export async function listTags(source: string, options: ListTagsOptions = {}): Promise<TagList> {
  const { signal } = options
  const found = transportOf(source)
  if (!found || !tagged.includes(found.transport)) throw hasNoTags(source)
  if (!source.startsWith('docker://')) return { Tags: await namesInFile(await openStore(options), found, source) }
  const { registry, repository } = remoteReference(source)
  if (/@|:[^/]+$/.test(source.slice('docker://'.length))) throw isImage(source, `${registry}/${repository}`)
  const tags = await tagsAt(source, { registry: options, ...(signal ? { signal } : {}) })
  return { Repository: formatReference({ registry, repository }), Tags: tags }
}

/** What the shell door prints. */
export function present(result: TagList): string {
  return JSON.stringify(result, null, 4)
}

const tagged: readonly string[] = ['docker', 'docker-archive', 'oci', 'oci-archive']

function hasNoTags(object: string): BuilderError {
  const hint =
    'write docker://REGISTRY/NAME, docker-archive:FILE, oci:PATH or oci-archive:FILE; the store has builder images'
  return new BuilderError('USAGE', { operation: 'list-tags', object, reason: 'this is no place that has tags', hint })
}

function isImage(object: string, repository: string): BuilderError {
  const reason = 'it names one image of the repository'
  return new BuilderError('USAGE', { operation: 'list-tags', object, reason, hint: `write docker://${repository}` })
}
