import { broken, missing } from '../verify.js'
import type { RegistryClient } from './client.js'
import { readPages } from './pages.js'

/** All tags of a repository, in the registry's order. Throws `NOT_FOUND`. */
export async function readTags(client: RegistryClient, name: string): Promise<readonly string[]> {
  const pages = await readPages(client, 'tags/list?n=1000', { operation: 'list tags', object: name })
  if (!pages) throw missing(name, 'the registry has no such repository', 'check the name')
  const tags = pages.flatMap(({ value }) => {
    // A repository whose tags are all deleted has null in some registries.
    const list = value.tags ?? []
    if (!Array.isArray(list) || list.some((tag) => typeof tag !== 'string'))
      throw broken(name, 'its tags are no list of words')
    return list as string[]
  })
  return [...new Set(tags)]
}
