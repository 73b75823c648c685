import { readdir } from 'node:fs/promises'
import { basename, relative } from 'node:path'
import { asBuilderError, BuilderError } from '../../errors.js'
import { formatReference } from '../../image/reference.js'
import { caller } from '../../namespace/caller.js'
import { listTags } from '../../transport/docker.js'
import type { Access } from './copy-sides.js'
import { remoteReference } from './pull-names.js'
import { readSyncList, type SyncRegistry } from './sync-list.js'

/** One image that a sync copies. */
export interface SyncSource {
  /** transport:path. */
  readonly source: string
  /** Its whole name, of which the destination's is made. */
  readonly suffix: string
  readonly access: Access
}

/** What may end the reading of a source, and whether a repository that cannot be read ends it. */
export interface Reading {
  readonly signal?: AbortSignal
  readonly keepGoing?: boolean
}

/** The images of a sync, in a fixed order. Throws `NOT_FOUND`, `USAGE`, `INVALID`, `SYSTEM`. */
export async function sourcesOf(
  src: 'docker' | 'dir' | 'yaml',
  source: string,
  access: Access,
  reading: Reading,
): Promise<readonly SyncSource[]> {
  const found = await {
    docker: () => ofRegistry(source, access, reading),
    dir: () => ofFolder(source, access),
    yaml: () => ofList(source, access, reading),
  }[src]()
  if (found.length > 0) return found
  throw new BuilderError('NOT_FOUND', { operation: 'sync', object: source, reason: 'it holds no image' })
}

/** An image where a tag or a digest is named, else every tag of the repository. */
async function ofRegistry(source: string, access: Access, { signal }: Reading): Promise<readonly SyncSource[]> {
  const name = source.replace(/^docker:\/\//, '')
  const isImage = /:[^/]+$|@/.test(name)
  if (isImage) return [imageSource(formatReference(remoteReference(name)), access)]
  const { registry, repository } = remoteReference(name)
  const tags = await listTags(`docker://${name}`, { registry: access, ...(signal ? { signal } : {}) })
  return tags.map((tag) => imageSource(`${registry}/${repository}:${tag}`, access))
}

function imageSource(name: string, access: Access): SyncSource {
  return { source: `docker://${name}`, suffix: name, access }
}

/** Every folder with a manifest.json; one that is an image itself gives its own name. */
async function ofFolder(folder: string, access: Access): Promise<readonly SyncSource[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    throw asBuilderError(error, 'sync from', folder)
  })
  const images = entries.filter((entry) => entry.isFile() && entry.name === 'manifest.json')
  return images
    .map(({ path }) => ({ source: `dir:${path}`, suffix: relative(folder, path) || basename(path), access }))
    .sort((a, b) => (a.source < b.source ? -1 : 1))
}

async function ofList(file: string, access: Access, reading: Reading): Promise<readonly SyncSource[]> {
  const found: SyncSource[] = []
  for (const registry of await readSyncList(file)) found.push(...(await ofListed(registry, access, reading)))
  return found
}

async function ofListed(listed: SyncRegistry, common: Access, reading: Reading): Promise<readonly SyncSource[]> {
  const { registry, images, patterns } = listed
  const access: Access = { ...common, ...listed.access }
  const found: SyncSource[] = []
  const tagsOf = (repository: string) => tagsIfAny(`${registry}/${repository}`, access, reading)
  for (const [repository, wanted] of images)
    for (const one of wanted.length > 0 ? wanted : await tagsOf(repository))
      found.push(imageSource(nameOf(registry, repository, one), access))
  for (const [repository, pattern] of patterns)
    for (const tag of await tagsOf(repository))
      if (pattern.test(tag)) found.push(imageSource(nameOf(registry, repository, tag), access))
  return found
}

/** A list names tags, and digests as `sha256:…`. */
function nameOf(registry: string, repository: string, tagOrDigest: string): string {
  const separator = tagOrDigest.startsWith('sha256:') ? '@' : ':'
  return formatReference(remoteReference(`${registry}/${repository}${separator}${tagOrDigest}`))
}

async function tagsIfAny(name: string, registry: Access, { signal, keepGoing }: Reading): Promise<readonly string[]> {
  try {
    return await listTags(`docker://${name}`, { registry, ...(signal ? { signal } : {}) })
  } catch (error) {
    if (!keepGoing || !(error instanceof BuilderError) || error.code === 'ABORTED') throw error
    caller().say(`builder: warning: ${error.message}\n`)
    return []
  }
}
