import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import { mediaTypes } from '../image/descriptor.js'
import type { Manifest } from '../image/manifest.js'
import type { Store } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import { type ContainersPlace, parseContainersPlace } from './containers-place.js'
import { storageOptions, storageTools } from './containers-storage.js'
import { dirSink } from './dir.js'
import { archiveName } from './docker-archive.js'
import { onlyImage } from './docker-archive-writer.js'
import { usage } from './location.js'
import type { ImageSink } from './sink.js'
import { needTool, runTool, type ToolCall } from './tool.js'

/**
 * Puts an image into podman's, buildah's and skopeo's own storage, by one of them: its locks and its files are theirs
 * alone to change. The image is first written and checked under the store's `tmp`, as `dir:`, so that the tool gets every
 * byte of manifest and configuration as it is. Short names get docker.io in front, as these tools do it.
 */
export async function containersStorageSink(store: Store, rest: string, name: string): Promise<ImageSink> {
  const place = parseContainersPlace(rest, name)
  const tag = nameFor(place, name)
  const call = { name, operation: 'write image' } as const
  const { program } = needTool(storageTools, call)
  const folder = temporaryFolder(store)
  const image = join(folder, 'image')
  const draft = await dirSink(image, name)
  return {
    ...draft,
    async begin(plan) {
      refuseZstd(onlyImage(plan, name), name)
      await draft.begin(plan)
    },
    async finish() {
      await draft.finish()
      await (program === 'skopeo' ? copyIn(image, place, tag, call) : pullIn(program, image, place, tag, call))
    },
    async [Symbol.asyncDispose]() {
      await draft[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The tools read no Docker manifest with such layers: Docker's schema 2 has no name for them. */
function refuseZstd({ mediaType, layers }: Manifest, name: string): void {
  if (mediaType !== mediaTypes.dockerManifest || layers.every((layer) => !layer.mediaType.endsWith('zstd'))) return
  const reason = 'the storage takes no Docker manifest with layers in zstd'
  const hint = 'make an OCI image of it'
  throw new BuilderError('UNSUPPORTED', { operation: 'write image', object: name, reason, hint })
}

function nameFor({ image, id }: ContainersPlace, name: string): string {
  const hint = 'write containers-storage:NAME:TAG'
  if (id !== undefined || image === '') throw usage(name, 'an image is written under a name, not an ID', hint)
  try {
    return archiveName(image, name)
  } catch (error) {
    throw error instanceof BuilderError ? usage(name, error.reason, hint) : error
  }
}

async function copyIn(image: string, { specifier }: ContainersPlace, tag: string, call: ToolCall): Promise<void> {
  const to = `containers-storage:${specifier}${tag}`
  await runTool(['skopeo', 'copy', '--quiet', '--insecure-policy', `dir:${image}`, to], call)
}

/** podman and buildah give a directory's image no name; it gets its own in a second step. */
async function pullIn(program: string, image: string, place: ContainersPlace, tag: string, call: ToolCall) {
  const tool = [program, ...storageOptions(place)]
  const id = (await runTool([...tool, 'pull', '--quiet', `dir:${image}`], call)).trim()
  await runTool([...tool, 'tag', id, tag], call)
}
