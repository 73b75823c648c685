import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../image/digest.js'
import type { Store } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import { type ContainersPlace, parseContainersPlace } from './containers-place.js'
import { findRecord, readStored, type StoredImage } from './containers-store.js'
import { dirSource } from './dir.js'
import { once } from './file-stream.js'
import type { ImageSource } from './source.js'
import { joinTar } from './tar-split.js'
import { needTool, runTool, type Tool } from './tool.js'
import { missing } from './verify.js'

/**
 * `containers-storage:[[driver@root+runroot]]NAME[:TAG|@ID]`: an image of podman's, buildah's and skopeo's own storage.
 * Layers are put together from the files where they lie; what cannot be read so (another driver, no tar-split) is fetched
 * by the tools. The storage keeps no compressed layers: an image that came with them has another manifest here, with the
 * same configuration and the same diffIDs. Run it inside the namespace. Throws `NOT_FOUND`, `UNSUPPORTED`.
 */
export async function containersStorageSource(store: Store, rest: string, name: string): Promise<ImageSource> {
  const place = parseContainersPlace(rest, name)
  const record = await findRecord(place, name)
  const image = await readStored(place, record, name)
  if (image) return storedSource(image, name)
  return fetchedSource(store, place, record.id, name)
}

/** Programs that know the storage, the best first. */
export const storageTools: readonly [Tool, ...Tool[]] = [
  { program: 'skopeo', package: 'skopeo' },
  { program: 'buildah', package: 'buildah' },
  { program: 'podman', package: 'podman' },
]

/** The options that name a storage to podman and buildah. */
export function storageOptions({ specifier, driver, root, runroot, options }: ContainersPlace): readonly string[] {
  if (specifier === '') return []
  const places = ['--root', root, ...(runroot === undefined ? [] : ['--runroot', runroot])]
  return ['--storage-driver', driver, ...places, ...options.flatMap((option) => ['--storage-opt', option])]
}

function storedSource({ names, manifest, bytes, config, layers }: StoredImage, name: string): ImageSource {
  const [suggestedName] = names
  return {
    name,
    ...(suggestedName === undefined ? {} : { suggestedName }),
    top: async () => ({ bytes, mediaType: manifest.mediaType, digest: digestOf(bytes) }),
    manifest: async ({ digest }) => Promise.reject(missing(name, `it has no manifest ${digest}`)),
    async blob({ digest }) {
      if (digest === manifest.config.digest) return once(config)
      const layer = layers[manifest.layers.findIndex((it) => it.digest === digest)]
      if (!layer) throw missing(name, `it has no blob ${digest}`)
      return joinTar(layer.split, layer.folder, name)
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** A copy that a tool makes, in a folder that is removed with the source. */
async function fetchedSource(store: Store, place: ContainersPlace, id: string, name: string): Promise<ImageSource> {
  const call = { name, operation: 'read image' } as const
  const { program } = needTool(storageTools, call)
  const folder = temporaryFolder(store)
  const remove = () => rm(folder, { recursive: true, force: true })
  const to = `dir:${join(folder, 'image')}`
  try {
    if (program === 'skopeo') {
      const from = `containers-storage:${place.specifier}@${id}`
      await runTool(['skopeo', 'copy', '--quiet', '--insecure-policy', from, to], call)
    } else await runTool([program, ...storageOptions(place), 'push', '--quiet', id, to], call)
    const source = await dirSource(join(folder, 'image'), name)
    return { ...source, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}
