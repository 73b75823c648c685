import { BuilderError } from '../../errors.js'
import { formatReference } from '../../image/reference.js'
import { caller } from '../../namespace/caller.js'
import { listTags } from '../../transport/docker.js'
import { type OpenOptions, transportOf } from '../../transport/transport.js'
import { remoteReference } from './pull-names.js'

/** The repository of an image, with its registry; empty for a file. `name` is the image's own. */
export function repositoryOf(image: string, name: string | undefined): string {
  if (image.startsWith('docker://')) {
    const { registry, repository } = remoteReference(image)
    return formatReference({ registry, repository })
  }
  return transportOf(image) || name === undefined ? '' : name.replace(/:[^:/]+$/, '')
}

/** The tags of an image's repository. A registry that does not list them is no reason to fail: a warning tells. */
export async function tagsOf(image: string, options: OpenOptions): Promise<readonly string[]> {
  if (!image.startsWith('docker://')) return []
  try {
    const { registry, repository } = remoteReference(image)
    return await listTags(`docker://${registry}/${repository}`, options)
  } catch (error) {
    if (!(error instanceof BuilderError) || error.code === 'ABORTED') throw error
    caller().say(`builder: warning: RepoTags is empty: ${error.message}\n`)
    return []
  }
}
